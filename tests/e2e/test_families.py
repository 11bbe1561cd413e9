"""Sample lines of many programs against the shipped decoders and rules: rule, decoder and fields as users of OSSEC know
them. What differs on purpose stands in families-ours.tsv with its reason. Families whose rules or decoders do not ship
yet are counted and left out. "a>b" means rule a at first and b the second time."""
import collections
import concurrent.futures
import csv
import os
import re
import unittest

from harness import SOURCE, shipped
from trees import Tree

DATA = os.path.join(SOURCE, "tests/data")
BATCH = 25  # samples that one process sees


def rows(name):
    with open(os.path.join(DATA, name), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def fields_of(text):
    """{'srcip': '192.0.2.1', ...} of "srcip=192.0.2.1; ..."; what code sets, "(plug-in)", is not listed."""
    if text in ("-", "(plug-in)"):
        return {}
    return dict(field.split("=", 1) for field in re.split(r"; (?=[a-z_]+=)", text))


def line_of(row):
    return row["line"].replace("<TAB>", "\t")


class ShippedTree(Tree):
    """A tree as an installation has it, with the shipped configuration, and the ids and decoders it knows."""

    def __init__(self, all_files):
        super().__init__()
        shipped.lay_out(SOURCE, self.root, all_files)
        includes = re.findall(r"<include>([^<]+)</include>", text_of(self.path("etc/ospatrol.conf")))
        self.rules = {"-"}
        for name in includes:
            self.rules.update(re.findall(r"<rule\s[^>]*?\bid=\"(\d+)\"", text_of(self.path("rules/" + name))))
        self.decoders = {"-"}
        for name in os.listdir(self.path("decoders")):
            self.decoders.update(re.findall(r"<decoder name=\"([^\"]+)\"", text_of(self.path("decoders/" + name))))

    def ships(self, row):
        return row["decoder"] in self.decoders and set(row["rules"].split(">")) <= self.rules


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return re.sub(r"<!--.*?-->", "", f.read(), flags=re.S)


class Families(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Rules of the default set are tried without the optional files, those of the optional files with them.
        cls.trees = [ShippedTree(all_files=False), ShippedTree(all_files=True)]

    @classmethod
    def tearDownClass(cls):
        for tree in cls.trees:
            tree.close()

    def tree_for(self, row):
        return next((tree for tree in self.trees if tree.ships(row)), None)

    def compare(self, row, judged=None):
        """The differences between what a row wants and what is seen, as texts."""
        wanted_rules = row["rules"].split(">")
        wanted_fields = fields_of(row["fields"])
        differences = []
        for rule, seen in zip(wanted_rules, judged or self.tree_for(row).judge(*[line_of(row)] * len(wanted_rules))):
            got = str(seen["rule"]["id"]) if seen["rule"] else "-"
            if got != rule:
                differences.append("rule %s instead of %s" % (got, rule))
            if (seen["decoder"] or "-") != row["decoder"]:
                differences.append("decoder %s instead of %s" % (seen["decoder"], row["decoder"]))
            for name, value in wanted_fields.items():
                if seen["fields"].get(name) != value:
                    differences.append("%s=%r instead of %r" % (name, seen["fields"].get(name), value))
        return differences

    def try_samples(self, pairs):
        """What is wrong with (sample, expectation) pairs, as texts. Lines that one process sees may disturb each other
        (first use, frequencies), so a pair that fails among others is tried alone."""
        plain = [pair for pair in pairs if pair[0] is pair[1] and ">" not in pair[1]["rules"]]
        alone = [pair for pair in pairs if pair not in plain]
        for tree in self.trees:
            ours = [row for _, row in plain if self.tree_for(row) is tree]
            for row, seen in zip(ours, tree.judge(*map(line_of, ours)) if ours else ()):
                if self.compare(row, [seen]):
                    alone.append((row, row))
        return [text for text in map(self.try_sample, alone) if text]

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
        self.assertEqual(len(ours), len(rows("families-ours.tsv")), "a sample differs in one way only")
        stated = [row for row in rows("families.tsv") if row["rules"].startswith("~")]
        samples = [row for row in rows("families.tsv") if not row["rules"].startswith("~")]
        self.assertLessEqual(set(ours), {row["line"] for row in samples}, "each difference is about a sample")
        absent = collections.Counter()
        runnable = []
        for sample in samples:
            row = ours.get(sample["line"], sample)
            if not (self.tree_for(sample) and self.tree_for(row)):
                absent[sample["decoder"]] += 1
                continue
            runnable.append((sample, row))
        batches = [runnable[start:start + BATCH] for start in range(0, len(runnable), BATCH)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            failures = [text for texts in pool.map(self.try_samples, batches) for text in texts]
        ran = len(runnable)
        print("%d samples ran; %d of %d decoders' families are not there yet with %d samples; %d are stated only" % (
            ran, len(absent), len({row["decoder"] for row in samples}), sum(absent.values()), len(stated)))
        print("\n".join(failures))
        self.assertEqual(len(failures), 0, "samples that differ")
        self.assertGreater(ran, 200)


if __name__ == "__main__":
    unittest.main()
