"""The rule tests of tests/rules, and lint, over the shipped decoders and rules; a second time with the rule files that
ship but are not included, for the tests of tests/rules/optional."""
import glob
import os
import re
import unittest

from harness import SOURCE, shipped
from trees import Tree


class Rules(unittest.TestCase):
    all_files = False
    folder = "tests/rules"
    known_problems = []

    def setUp(self):
        self.tree = Tree()
        shipped.lay_out(SOURCE, self.tree.root, self.all_files)
        self.addCleanup(self.tree.close)

    def test_every_line_fires_or_misses_its_rule(self):
        files = sorted(glob.glob(os.path.join(SOURCE, self.folder, "*.ini")))
        if not files:
            self.skipTest("no tests in " + self.folder)
        result = self.tree.logtest("--tests", *files)
        summary = re.fullmatch(r"(\d+) passed, (\d+) failed", result.stdout.splitlines()[-1])
        print(summary[0], "in %d files" % len(files))
        self.assertEqual((result.returncode, summary[2]), (0, "0"), result.stdout)
        self.assertGreater(int(summary[1]), 0)

    def test_lint_finds_nothing(self):
        lines = self.tree.logtest("--lint").stdout.splitlines()
        self.assertEqual(lines[-1], "%d problems" % len(lines[:-1]))
        unexpected = [line for line in lines[:-1] if not any(re.match(known, line) for known in self.known_problems)]
        self.assertEqual((unexpected, len(lines[:-1])), ([], len(self.known_problems)))


class OptionalRules(Rules):
    all_files = True
    folder = "tests/rules/optional"
    known_problems = [r"rules/policy_rules\.xml:\d+: rule 17101: <time>: '6 pm - 8:30 am' is read as it is meant; "]


if __name__ == "__main__":
    unittest.main()
