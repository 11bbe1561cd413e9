"""A tree of decoders, rules and lists that uses every element and every attribute there is loads without a complaint, and
one wrong letter in any of their names is told with file, line and the right name (rules-and-decoders 3.2, 4.2, 4.3).
The column `misspelt` of the table of names: suggested = error that asks "did you mean"; named = error that states the
right name as the one that is expected."""
import collections
import csv
import os
import re
import unittest

from harness import SOURCE
from trees import Tree

TREE = os.path.join(SOURCE, "tests/data/trees/every_element")
NAMES = os.path.join(SOURCE, "tests/data/rule-and-decoder-names.tsv")


def names():
    with open(NAMES, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t"))


def misspelt(name):
    """One typo: the letter in the middle is typed twice."""
    middle = len(name) // 2
    return name[:middle] + name[middle] + name[middle:]


def place(row, text):
    """The first use of the name that a row of the table is about: offset and length, or None."""
    if row["kind"] == "element":
        # Elements of <rule> and <decoder> stand two levels deep; <group name> is something else.
        found = re.search(r"(?m)^(?:    |  )<(%s)(?=[ >/])(?! id=)" % row["name"], text)
    else:
        found = re.search(r"<%s(?: [a-z_]+=\"[^\"]*\")*? (%s)=\"" % (row["owner"], row["name"]), text)
    return None if found is None else found.span(1)


def with_typo(row, text):
    """The text with one misspelt name (an element's closing tag follows its opening tag), the line, the typo."""
    begin, end = place(row, text)
    typo = misspelt(row["name"])
    rest = text[end:]
    if row["kind"] == "element" and not re.match(r"[^<>]*/>", rest):
        rest = rest.replace("</%s>" % row["name"], "</%s>" % typo, 1)
    return text[:begin] + typo + rest, text.count("\n", 0, begin) + 1, typo


class EveryElement(unittest.TestCase):
    def setUp(self):
        self.tree = Tree(TREE)
        self.addCleanup(self.tree.close)

    def path(self, relative):
        return self.tree.path(relative)

    def load(self):
        return self.tree.logtest("-t", "-c", self.path("etc/ospatrol.conf"))

    def test_a_tree_with_all_of_them_loads(self):
        result = self.load()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("ERROR", result.stderr)
        # <different_srcip> always warns: other programs accept it and test nothing.
        warnings = [line for line in result.stderr.splitlines() if "WARN" in line]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertIn("<different_srcip>", warnings[0])

    def test_its_rules_fire(self):
        header = "Oct 19 14:22:08 works1 "
        table = (
            ("kilnd: door u=potter from=198.51.100.7 nr=9", 100103),
            ("kilnd: hatch u=potter", None),
            ("kilnd: door u=potter from=198.51.100.7 nr=8", 100102),
            ("glaze-a: ticket=1234567890 who=potter what=dip page=/bath state=wet", 100104),
            ("glaze-a: ticket=1234567890 who=mallory what=dip page=/bath state=wet", None),
            ("glaze-a: ticket=1234567890 who=potter what=spray page=/hood state=dry", 100105),
            ("glaze-a: ticket=123 who=potter what=spray page=/hood state=dry", None),
        )
        for (line, rule), seen in zip(table, self.tree.judge(*[header + line for line, _ in table])):
            self.assertEqual(seen["rule"]["id"] if seen["rule"] else None, rule, line)

    def test_the_tree_uses_every_name(self):
        rows = names()
        texts = {file: open(self.path(file), encoding="utf-8").read() for file in {row["file"] for row in rows}}
        missing = [row for row in rows if place(row, texts[row["file"]]) is None]
        self.assertEqual(missing, [])
        elements = {row["name"] for row in rows if row["kind"] == "element"}
        used = set(re.findall(r"(?m)^(?:    |  )<([a-z_0-9]+)", "".join(texts.values()))) - {"rule"}
        self.assertEqual(used, elements, "the tree and the table name the same elements")
        self.assertEqual(len({(r["file"], r["kind"], r["owner"], r["name"]) for r in rows}), len(rows))
        print("%d names: %d elements and attributes of decoders, %d of rules" % (
            len(rows), sum(r["file"] == "etc/decoder.xml" for r in rows),
            sum(r["file"] != "etc/decoder.xml" for r in rows)))

    def test_one_wrong_letter_in_any_name_is_told_where_it_stands(self):
        checked = 0
        for row in names():
            with self.subTest(**row):
                with open(self.path(row["file"]), encoding="utf-8") as f:
                    text = f.read()
                broken, line, typo = with_typo(row, text)
                self.assertNotEqual(broken, text)
                with open(self.path(row["file"]), "w", encoding="utf-8") as f:
                    f.write(broken)
                try:
                    result = self.load()
                finally:
                    with open(self.path(row["file"]), "w", encoding="utf-8") as f:
                        f.write(text)
                self.check(row, "%s:%d:" % (row["file"], line), typo, result)
                checked += 1
        outcomes = collections.Counter(row["misspelt"] for row in names())
        print("%d names misspelt: %s" % (checked, dict(outcomes)))
        self.assertEqual(checked, len(names()))

    def check(self, row, where, typo, result):
        """What the table promises for this typo, in a line that names file and line."""
        lines = [line for line in result.stderr.splitlines() if where in line]
        errors = [line for line in lines if "ERROR" in line]
        wanted = row["misspelt"]
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertNotEqual(errors, [], result.stderr)
        for error in errors:
            self.assertRegex(error, r"; (expected|did you mean) ")
        if wanted == "suggested":
            suggestion = r"\b%s\b.*; did you mean .%s\b" % (typo, re.escape(row["name"]))
            self.assertEqual(len([e for e in errors if re.search(suggestion, e)]), 1, result.stderr)
        else:  # there is only one possible attribute, or it is required: the error names it
            self.assertEqual(wanted, "named")
            self.assertTrue(any(re.search(r"; expected .*\b%s\b" % row["name"], e) for e in errors), result.stderr)


if __name__ == "__main__":
    unittest.main()
