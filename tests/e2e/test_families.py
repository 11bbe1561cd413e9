"""Sample lines of many programs against the shipped decoders and rules: rule, decoder and fields as users of OSSEC know
them. What differs on purpose stands in families-ours.tsv with its reason. Families whose rules or decoders do not ship
yet are counted and left out. Each sample has a process of its own; "a>b" means rule a at first and b the second time."""
import collections
import concurrent.futures
import csv
import os
import re
import shutil
import unittest

from harness import SOURCE
from trees import Tree

DATA = os.path.join(SOURCE, "tests/data")


def rows(name):
    with open(os.path.join(DATA, name), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def fields_of(text):
    """{'srcip': '192.0.2.1', ...} of "srcip=192.0.2.1; ..."; what code sets, "(plug-in)", is not listed."""
    if text in ("-", "(plug-in)"):
        return {}
    return dict(field.split("=", 1) for field in re.split(r"; (?=[a-z_]+=)", text))


def shipped_tree():
    """A tree as an installation has it, with the shipped configuration."""
    tree = Tree()
    for folder in ("etc", "rules", "decoders"):
        shutil.copytree(os.path.join(SOURCE, folder), tree.path(folder))
    shutil.copy(tree.path("etc/ospatrol-local.conf"), tree.path("etc/ospatrol.conf"))
    return tree


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return re.sub(r"<!--.*?-->", "", f.read(), flags=re.S)


class Families(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tree = shipped_tree()
        includes = re.findall(r"<include>([^<]+)</include>", text_of(cls.tree.path("etc/ospatrol.conf")))
        cls.rules = {"-"}
        for name in includes:
            cls.rules.update(re.findall(r"<rule\s[^>]*?\bid=\"(\d+)\"", text_of(cls.tree.path("rules/" + name))))
        cls.decoders = {"-"}
        for name in os.listdir(cls.tree.path("decoders")):
            cls.decoders.update(re.findall(r"<decoder name=\"([^\"]+)\"", text_of(cls.tree.path("decoders/" + name))))

    @classmethod
    def tearDownClass(cls):
        cls.tree.close()

    def ships(self, row):
        return row["decoder"] in self.decoders and set(row["rules"].split(">")) <= self.rules

    def compare(self, row):
        """The differences between what a row wants and what is seen, as texts."""
        wanted_rules = row["rules"].split(">")
        wanted_fields = fields_of(row["fields"])
        line = row["line"].replace("<TAB>", "\t")
        differences = []
        for rule, seen in zip(wanted_rules, self.tree.judge(*[line] * len(wanted_rules))):
            got = str(seen["rule"]["id"]) if seen["rule"] else "-"
            if got != rule:
                differences.append("rule %s instead of %s" % (got, rule))
            if (seen["decoder"] or "-") != row["decoder"]:
                differences.append("decoder %s instead of %s" % (seen["decoder"], row["decoder"]))
            for name, value in wanted_fields.items():
                if seen["fields"].get(name) != value:
                    differences.append("%s=%r instead of %r" % (name, seen["fields"].get(name), value))
        return differences

    def try_sample(self, pair):
        """What is wrong with a (sample, expectation) pair; the empty text when nothing is."""
        sample, row = pair
        differences = self.compare(row)
        if differences:
            return "%s\n    %s" % (row["line"], "; ".join(differences))
        if row is not sample and not self.compare(sample):
            return "%s\n    differs no longer: take it out of families-ours.tsv" % row["line"]
        return ""

    def test_samples_fire_the_rules_that_users_know(self):
        ours = {row["line"]: row for row in rows("families-ours.tsv")}
        stated = [row for row in rows("families.tsv") if row["rules"].startswith("~")]
        samples = [row for row in rows("families.tsv") if not row["rules"].startswith("~")]
        self.assertLessEqual(set(ours), {row["line"] for row in samples}, "each difference is about a sample")
        absent = collections.Counter()
        runnable = []
        for sample in samples:
            row = ours.get(sample["line"], sample)
            if not (self.ships(sample) and self.ships(row)):
                absent[sample["decoder"]] += 1
                continue
            runnable.append((sample, row))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            failures = [text for text in pool.map(self.try_sample, runnable) if text]
        ran = len(runnable)
        print("%d samples ran; %d of %d decoders' families are not there yet with %d samples; %d are stated only" % (
            ran, len(absent), len({row["decoder"] for row in samples}), sum(absent.values()), len(stated)))
        print("\n".join(failures))
        self.assertEqual(len(failures), 0, "samples that differ")
        self.assertGreater(ran, 200)


if __name__ == "__main__":
    unittest.main()
