"""ospatrol-logtest as scripts see it: layout, streams, exit codes (rules-and-decoders 7)."""
import contextlib
import json
import os
import re
import sqlite3
import subprocess
import unittest

from harness import BUILD, SOURCE, Installation, local_configuration, needs_root

FAILED = "Nov 22 10:00:01 gw1 sshd[811]: Failed password for root from 198.51.100.7 port 40022 ssh2"


@needs_root
class Logtest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ospatrol = Installation(local_configuration("/nonexistent"))

    @classmethod
    def tearDownClass(cls):
        cls.ospatrol.close()

    def logtest(self, *arguments, text=""):
        return subprocess.run([os.path.join(BUILD, "src/ospatrol-logtest"), "-D", self.ospatrol.prefix, *arguments],
                              input=text, capture_output=True, text=True, timeout=600)

    def test_prints_the_three_phases_on_standard_error(self):
        result = self.logtest("-q", text=FAILED + "\n")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, "")
        # What the loader has to say about the rules comes first, with a time stamp.
        shown = re.sub(r"^(\d{4}/\d\d/\d\d .*\n)+", "", result.stderr)
        self.assertEqual(shown, """ospatrol-testrule: Type one log per line.



**Phase 1: Completed pre-decoding.
       full event: '%s'
       hostname: 'gw1'
       program_name: 'sshd'
       log: 'Failed password for root from 198.51.100.7 port 40022 ssh2'

**Phase 2: Completed decoding.
       dstuser: 'root'
       srcip: '198.51.100.7'
       decoder: 'sshd'

**Phase 3: Completed filtering (rules).
       Rule id: '5716'
       Level: '5'
       Description: '%s'
**Alert to be generated.
""" % (FAILED, result.stderr.split("Description: '")[1].split("'\n")[0]))

    def test_says_which_rule_has_a_pattern_that_takes_too_long(self):
        path = self.ospatrol.path("rules/local_rules.xml")
        with open(path, encoding="utf-8") as f:
            before = f.read()
        try:
            with open(path, "w", encoding="utf-8") as f:
                f.write("""<group name="local,"><rule id="100900" level="15"><pcre2>(?=a)(a+)+(a+)+(a+)+\\1[xy]</pcre2>
                           <description>endless</description></rule></group>""")
            result = self.logtest("-q", text="Nov 22 10:00:01 gw1 app: %s\n" % ("a" * 3000))
        finally:
            with open(path, "w", encoding="utf-8") as f:
                f.write(before)
        told = "".join(line for line in result.stderr.splitlines() if "(9217)" in line)
        self.assertRegex(told, r"WARN: 1 searches were given up .* rule 100900 \(")

    def test_exit_code_says_what_differs(self):
        for expectation, code in (("5716:5:sshd", 0), ("5716:5:SSHD", 0), ("5716:05:sshd", 1), ("5716:6:sshd", 1),
                                  ("5710:5:sshd", 2), ("5716:5:pam", 3)):
            result = self.logtest("-q", "-U", expectation, text=FAILED)
            self.assertEqual(result.returncode, code, expectation)
            self.assertEqual(result.stdout, "0" if code == 0 else "", expectation)
        self.assertEqual(self.logtest("-U", "5716:5").returncode, 1)
        self.assertEqual(self.logtest("-q", "-U", "1:1:x").returncode, 0, "no input")

    def test_exit_code_compares_whatever_is_printed(self):
        for mode in ("-a", "--json", "-j", "-v", "--explain"):
            for expectation, code in (("5716:5:sshd", 0), ("5710:5:sshd", 2), ("5716:5:pam", 3)):
                result = self.logtest("-q", mode, "-U", expectation, text=FAILED)
                self.assertEqual(result.returncode, code, (mode, expectation, result.stderr[-500:]))
                if mode in ("--json", "-j"):
                    self.assertEqual(json.loads(result.stdout)["rule"]["id"], 5716, "nothing but objects")

    def test_says_what_it_reads_unless_it_is_asked_to_be_quiet(self):
        started = r"\n\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ospatrol-testrule: INFO: Started \(pid: \d+\)\.\n"
        text = "\n" + self.logtest(text=FAILED).stderr
        self.assertRegex(text, r" ospatrol-testrule: INFO: Reading decoder file decoders/0080-sshd\.xml\.\n")
        self.assertRegex(text, started + "ospatrol-testrule: Type one log per line\\.\n\n")
        quiet = "\n" + self.logtest("-q", text=FAILED).stderr
        self.assertNotIn("Reading", quiet)
        self.assertRegex(quiet, started)

    def test_lines_of_one_letter_are_skipped(self):
        self.assertNotIn("Phase", self.logtest("-q", text="x\n\n").stderr)
        self.assertIn("full event: 'xy'", self.logtest("-q", text="x\nxy\n").stderr)

    def test_a_flag_that_it_does_not_know_is_named_before_the_help(self):
        result = self.logtest("--bogus")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("'--bogus'", result.stderr.splitlines()[0])

    def test_short_json_has_one_object_for_each_line_in_order(self):
        result = self.logtest("--json", text=FAILED + "\n\nneither decoder nor rule\n")
        objects = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([o["line"] for o in objects], [1, 2, 3])
        self.assertEqual(objects[0]["decoder"], "sshd")
        self.assertEqual(objects[0]["fields"], {"dstuser": "root", "srcip": "198.51.100.7"})
        self.assertEqual(objects[0]["rule"]["id"], 5716)
        self.assertEqual(objects[0]["rule"]["level"], 5)
        self.assertIn("sshd", objects[0]["rule"]["groups"])
        self.assertIsNone(objects[2]["decoder"])
        self.assertIsNone(objects[2]["rule"])

    def test_alert_records_go_to_standard_output(self):
        result = self.logtest("-a", text=FAILED + "\n")
        self.assertRegex(result.stdout, r"^\*\* Alert [0-9]+\.1:.* - syslog,sshd,authentication_failed,\S*,\n")
        self.assertIn(" gw1->stdin\nRule: 5716 (level 5) -> '", result.stdout)
        self.assertTrue(result.stdout.endswith(FAILED + "\n\n"))

    def test_a_recording_gives_the_same_alerts_each_time(self):
        recording = os.path.join(self.ospatrol.root, "recording")
        with open(recording, "w") as f:
            for second in range(12):
                f.write("%d 1:(web1) 10.0.0.5->/var/log/auth.log:%s\n" % (1715083200 + second, FAILED))
        runs = [self.logtest("-r", recording) for _ in range(2)]
        self.assertEqual(runs[0].returncode, 0, runs[0].stderr)
        self.assertEqual(runs[0].stdout, runs[1].stdout)
        self.assertEqual(runs[0].stdout.count("** Alert "), 12)
        self.assertTrue(runs[0].stdout.startswith("** Alert 1715083200.1:"), runs[0].stdout[:100])
        self.assertIn(" (web1) 10.0.0.5->/var/log/auth.log\nRule: 5716 ", runs[0].stdout)
        self.assertRegex(runs[0].stdout, r"\nRule: 5720 .*\n")
        with open(recording, "a") as f:
            f.write("yesterday 1:/x:text\n")
        result = self.logtest("-r", recording)
        self.assertEqual(result.returncode, 1)
        self.assertIn("recording:13: expected SECONDS T:LOCATION:TEXT", result.stderr)

    def test_what_the_daemon_has_seen_is_not_new(self):
        line = "Nov 22 10:00:01 gw1 sudo:     tom : TTY=pts/3 ; PWD=/home/tom ; USER=root ; COMMAND=/bin/id\n"
        text = os.path.join(self.ospatrol.prefix, "queue/fts/fts-queue")
        database = os.path.join(self.ospatrol.prefix, "queue/fts/fts.db")

        def rule():
            result = self.logtest("--json", text=line)
            self.assertNotIn("Cannot read", result.stderr)
            return json.loads(result.stdout)["rule"]["id"]
        self.assertEqual(rule(), 5403)
        seen = "sudo  tom      stdin"
        with open(text, "w") as f:
            f.write(seen)  # without a line feed, as an old writer leaves it
        self.assertEqual(rule(), 5402)
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute("CREATE TABLE first_seen(line TEXT PRIMARY KEY) WITHOUT ROWID")
            connection.commit()
            self.assertEqual(rule(), 5403, "the database counts, where there is one")
            connection.execute("INSERT INTO first_seen VALUES(?)", (seen,))
            connection.commit()
            self.assertEqual(rule(), 5402)
        names = sorted(os.listdir(os.path.dirname(database)))
        self.assertEqual(rule(), 5402)
        self.assertEqual(sorted(os.listdir(os.path.dirname(database))), names, "nothing is written")
        os.remove(text)
        os.remove(database)

    def test_full_json_traces_the_rules(self):
        event = json.loads(self.logtest("-j", text=FAILED + "\n").stdout)
        self.assertTrue(event["alert"])
        self.assertIn(5716, [step["rule"] for step in event["trace"] if step["matched"]])
        self.assertTrue(any("failed" in step for step in event["trace"]))
        self.assertGreater(event["timing_ns"]["judge"], 0)

    def test_trace_names_each_rule_tried(self):
        text = self.logtest("-q", "-v", text=FAILED + "\n").stderr
        self.assertIn("\n**Rule debugging:\n    Trying rule: 1 - ", text)
        self.assertIn("       *Rule 5716 matched.\n", text)

    def test_configuration_test_is_silent_on_success_and_names_the_fault_otherwise(self):
        result = self.logtest("-t")
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertNotIn("ERROR", result.stderr)
        broken = os.path.join(self.ospatrol.root, "broken.conf")
        with open(broken, "w") as f:
            f.write("<ospatrol_config>\n<rules>\n<include>nowhere_rules.xml</include>\n</rules>\n</ospatrol_config>\n")
        result = self.logtest("-t", "-c", broken)
        self.assertEqual(result.returncode, 1)
        self.assertIn("nowhere_rules.xml", result.stderr)

    def test_rule_tests_tell_what_is_not_run(self):
        path = os.path.join(self.ospatrol.root, "typo.ini")
        with open(path, "w") as f:
            f.write("[failed]\nrule = 5716\nalert = 5\ndecoder = sshd\nlgo 1 pass = %s\n" % FAILED)
        result = self.logtest("--tests", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("typo.ini:1", result.stdout)
        self.assertIn("[failed] has a key 'lgo 1 pass', which is unknown and ignored", result.stdout)
        self.assertIn("no case was run: ", result.stdout)
        self.assertTrue(result.stdout.endswith("0 passed, 0 failed\n"))

    def test_shipped_rule_tests_pass(self):
        folder = os.path.join(SOURCE, "tests/rules")
        files = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".ini"))
        self.assertGreater(len(files), 0)
        result = self.logtest("--tests", *files)
        print(result.stdout[-3000:])
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"\n?[1-9][0-9]* passed, 0 failed\n$")


if __name__ == "__main__":
    unittest.main()
