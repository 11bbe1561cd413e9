"""A tree as an appliance vendor delivered it long ago - both roots in one configuration, old comments, Latin-1, old
patterns, variables, lists, overwritten rules - loads as it is and judges as its own tests say (rules-and-decoders)."""
import json
import os
import re
import unittest

from harness import SOURCE
from trees import Tree

TREE = os.path.join(SOURCE, "tests/data/trees/third_party")
HEADER = "Oct 19 14:22:08 north1 "
RAISED = HEADER + "sluiced[77]: gate N4 moved up by miller <203.0.113.5>"


class ThirdPartyTree(unittest.TestCase):
    def setUp(self):
        self.tree = Tree(TREE)
        self.addCleanup(self.tree.close)
        self.configuration = ("-c", self.tree.path("etc/ossec.conf"))

    def logtest(self, *arguments, text=""):
        return self.tree.logtest(*self.configuration, *arguments, text=text)

    def makelists(self, *arguments):
        return self.tree.run("ospatrol-makelists", *self.configuration, "-g", "nogroup", *arguments)

    def read_bytes(self, relative):
        with open(self.tree.path(relative), "rb") as f:
            return f.read()

    def run_own_tests(self, *arguments):
        """How many passed and failed of the tests that came with the tree."""
        result = self.logtest("--tests", *arguments)
        counts = re.search(r"(?m)^(\d+) passed, (\d+) failed$", result.stdout)
        self.assertIsNotNone(counts, result.stdout + result.stderr)
        self.assertEqual(result.returncode, 0, result.stdout)
        return int(counts[1]), int(counts[2])

    def test_is_as_old_trees_are(self):
        decoders = self.read_bytes("etc/decoder.xml") + self.read_bytes("etc/local_decoder.xml")
        rules = b"".join(self.read_bytes("rules/" + f) for f in os.listdir(self.tree.path("rules")))
        for text in (decoders, rules):
            self.assertRaises(UnicodeDecodeError, text.decode, "utf-8")  # Latin-1
            self.assertIn(b"<!-- @(#) $Id: ", decoders)
            self.assertIn(b" & ", text)
            self.assertIn(b"\\<", text)
        self.assertIn(b"\n!>\n", decoders)
        for part in (b"<var name=", b"overwrite=\"yes\"", b"<if_group>", b"<if_level>", b"frequency=", b"<list "):
            self.assertIn(part, rules)
        configuration = self.read_bytes("etc/ossec.conf")
        self.assertIn(b"\n<ossec_config>", configuration)
        self.assertIn(b"\n<ospatrol_config>", configuration)

    def test_loads_without_a_complaint(self):
        result = self.logtest("-t")
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertNotIn("ERROR", result.stderr)
        self.assertNotIn("WARN", result.stderr)

    def test_its_own_tests_pass(self):
        passed, failed = self.run_own_tests("tests.ini", "sequences.ini")
        print("%d of its own tests passed, %d failed" % (passed, failed))
        self.assertGreaterEqual(passed, 100)

    def test_its_own_tests_pass_when_read_as_the_classic_runner_reads_them(self):
        passed, failed = self.run_own_tests("tests.ini", "--ini", "classic")
        print("%d of its own tests passed, %d failed (classic)" % (passed, failed))
        self.assertGreaterEqual(passed, 40)

    def test_a_wrong_expectation_is_told(self):
        text = self.read_bytes("tests.ini").decode("latin-1")
        with open(self.tree.path("tests.ini"), "w", encoding="latin-1") as f:
            f.write(text.replace("alert = 12\n", "alert = 13\n"))
        result = self.logtest("--tests", "tests.ini")
        self.assertEqual(result.returncode, 1)
        self.assertIn("[Two sensors] log 1 pass: expected rule 110103, level 13, decoder sluiced; "
                      "seen rule 110103, level 12, decoder sluiced", result.stdout)

    def test_one_process_for_each_line_tells_by_exit_code(self):
        table = (
            (RAISED, "110105:6:sluiced", 0),
            (RAISED, "110105:6:SLUICED", 0),
            (RAISED, "110105:06:sluiced", 1),
            (RAISED, "110105:7:sluiced", 1),
            (RAISED, "110101:4:sluiced", 2),
            (RAISED, "110105:6:hgauth", 3),
            (HEADER + "hgauth: badge 0042 swiped by miller", "110208:7:hgauth-badge", 0),
            (HEADER + "hgauth: badge 0042 swiped by miller", "110208:7:hgauth", 3),
            (HEADER + "hgauth: refused for root at 192.0.2.7", "110205:9:hgauth", 0),
            (HEADER + "hgauth: refused for root at 192.0.2.7", "110202:5:hgauth", 2),
            (HEADER + "tidegauge: 4.12 m", "110602:0:x", 3),
            (HEADER + "weirwall: ALLOW tcp 203.0.113.9:4000 -> 192.0.2.9:23", "110500:4:weirwall", 255),
            (HEADER + "sluiced: gate N4 is fine", "110101:4:sluiced", 255),
            ("[pump 7] flow=12 state=DRY & hot", "110301:7:pump", 0),
        )
        for line, expectation, code in table:
            with self.subTest(line=line, expectation=expectation):
                result = self.logtest("-q", "-U", expectation, text=line)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertEqual(result.stdout, "0" if code == 0 else "")
        print("%d processes, one line each" % len(table))

    def test_decodes_the_fields(self):
        table = (
            (RAISED, {"extra_data": "N4", "action": "up", "dstuser": "miller", "srcip": "203.0.113.5"}),
            (HEADER + "sluiced: sensor 12 & sensor 13 jam", {"id": "12", "extra_data": "13", "status": "jam"}),
            (HEADER + "hgauth: opened for miller at 192.0.2.7 desk 3", {"dstuser": "miller", "srcip": "192.0.2.7"}),
            # Groups that took no part do not count: what remains moves up.
            (HEADER + "hgauth: refused for nobody at gatehouse", {"dstuser": "gatehouse"}),
            (HEADER + "hgauth: badge 0042 swiped by miller", {"id": "0042", "dstuser": "miller"}),
            ("[pump 7] flow=12 state=DRY & hot", {"id": "12", "status": "DRY"}),
            ('hgweb 203.0.113.9 "GET /panel" -> 404',
             {"srcip": "203.0.113.9", "action": "GET", "url": "/panel", "id": "404"}),
            (HEADER + "weirwall: DROP tcp 203.0.113.9:4000 -> 192.0.2.9:23",
             {"action": "DROP", "proto": "tcp", "srcip": "203.0.113.9", "srcport": "4000", "dstip": "192.0.2.9",
              "dstport": "23"}),
        )
        for (line, fields), seen in zip(table, self.tree_judges(*[line for line, _ in table])):
            self.assertEqual(seen["fields"], fields, line)

    def tree_judges(self, *lines):
        result = self.logtest("--json", text="".join(line + "\n" for line in lines))
        self.assertEqual(result.returncode, 0, result.stderr)
        return [json.loads(o) for o in result.stdout.splitlines()]

    def test_old_bytes_in_descriptions_and_logs_keep_json_valid(self):
        line = HEADER.encode() + b"sluiced: gate N4 stuck, T\xfcr 3\n"
        for flag in ("--json", "-j"):
            seen = json.loads(self.logtest(flag, text=line).raw.decode("utf-8"))
            self.assertEqual(seen["rule"]["id"], 110102)
        result = self.logtest("-a", text=line)
        self.assertIn(b"Rule: 110102 (level 5) -> 'Gate in trouble (St\xf6rung)'", result.raw)
        self.assertIn(line, result.raw)

    def test_lists_count_as_text_as_compiled_and_as_mixture(self):
        both = ("tests.ini", "sequences.ini")
        as_text = self.run_own_tests(*both)
        result = self.makelists()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines(), [" * File lists/keepers.cdb needs to be updated",
                                                      " * File lists/visitor_nets.cdb needs to be updated"])
        self.assertEqual(self.run_own_tests(*both), as_text)
        os.unlink(self.tree.path("lists/keepers.cdb"))  # one text, one compiled
        os.unlink(self.tree.path("lists/visitor_nets"))
        self.assertEqual(self.run_own_tests(*both), as_text)
        os.unlink(self.tree.path("lists/visitor_nets.cdb"))
        result = self.logtest("-t")
        self.assertEqual(result.returncode, 1, "a list that is neither there as text nor compiled")
        self.assertRegex(result.stderr, r"ERROR: .*lists/visitor_nets")


if __name__ == "__main__":
    unittest.main()
