"""ospatrol-logtest as scripts see it: layout, streams, exit codes (rules-and-decoders 7)."""
import json
import os
import re
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
                              input=text, capture_output=True, text=True, timeout=120)

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

    def test_exit_code_says_what_differs(self):
        for expectation, code in (("5716:5:sshd", 0), ("5716:5:SSHD", 0), ("5716:05:sshd", 1), ("5716:6:sshd", 1),
                                  ("5710:5:sshd", 2), ("5716:5:pam", 3)):
            result = self.logtest("-q", "-U", expectation, text=FAILED)
            self.assertEqual(result.returncode, code, expectation)
            self.assertEqual(result.stdout, "0" if code == 0 else "", expectation)
        self.assertEqual(self.logtest("-U", "5716:5").returncode, 1)
        self.assertEqual(self.logtest("-q", "-U", "1:1:x").returncode, 0, "no input")

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
