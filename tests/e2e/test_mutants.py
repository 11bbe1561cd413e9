"""ospatrol-logtest --mutate over everything that is shipped: each condition of each rule is dropped in turn, and some test
of tests/rules has to notice. What none can notice stands in tests/rules/equivalent.tsv with the reason."""
import csv
import glob
import os
import re
import subprocess
import unittest

from harness import BUILD, SOURCE, shipped
from trees import Tree

LOOSE = re.compile(r"(rules/[\w-]+\.xml):\d+: rule (\d+): no test notices when (.+?) is dropped")


def equivalent():
    with open(os.path.join(SOURCE, "tests/rules/equivalent.tsv"), encoding="utf-8") as table:
        return {(row["id"], row["condition"]): row["reason"] for row in csv.DictReader(table, delimiter="\t")}


def shown(pairs):
    return "\n".join("rule %s: <%s>" % pair for pair in sorted(pairs))


class Mutants(unittest.TestCase):
    def loose(self, all_files, folder):
        """(file, rule id, condition) that no test of the folder notices the loss of."""
        files = sorted(glob.glob(os.path.join(SOURCE, folder, "*.ini")))
        self.assertTrue(files)
        with Tree() as tree:
            shipped.lay_out(SOURCE, tree.root, all_files)
            result = subprocess.run(
                [os.path.join(BUILD, "src/ospatrol-logtest"), "-D", tree.root, "--tests", *files, "--mutate"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3000)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("left out", result.stderr)
        *lines, summary = result.stdout.splitlines()
        print(summary)
        found = [LOOSE.match(line).groups() for line in lines]
        return {(os.path.basename(file), rule, condition)
                for file, rule, conditions in found for condition in re.findall(r"<(\w+)>", conditions)}

    def compare(self, loose, files):
        seen = {(rule, condition) for file, rule, condition in loose if file in files}
        known = {pair for pair in equivalent() if pair[0] in self.rules_of(files)}
        self.assertEqual(seen - known, set(), "\nno test notices when these are dropped:\n" + shown(seen - known))
        self.assertEqual(known - seen, set(), "\nin equivalent.tsv, but a test notices:\n" + shown(known - seen))

    @staticmethod
    def rules_of(files):
        ids = set()
        for file in files:
            with open(os.path.join(SOURCE, "rules", file), encoding="utf-8") as text:
                ids |= set(re.findall(r'<rule id="(\d+)"', text.read()))
        return ids

    def test_each_condition_of_the_included_rules_is_held(self):
        self.compare(self.loose(False, "tests/rules"), shipped.includes(SOURCE))

    def test_each_condition_of_the_optional_rules_is_held(self):
        self.compare(self.loose(True, "tests/rules/optional"), shipped.optional(SOURCE))

    def test_each_equivalent_has_a_rule_and_a_reason(self):
        rules = self.rules_of(shipped.includes(SOURCE) + shipped.optional(SOURCE))
        for (rule, condition), reason in equivalent().items():
            self.assertIn(rule, rules)
            self.assertTrue((reason or "").strip(), "rule %s: <%s>: no reason" % (rule, condition))


if __name__ == "__main__":
    unittest.main()
