"""Which fields the shipped decoders take out of a line, all of them and no others: tests/data/fields.tsv. Lines with
names and texts that an attacker chose to look like an address or a whole message are among them."""
import csv
import os
import unittest

from harness import SOURCE, shipped
from trees import Tree


def rows():
    with open(os.path.join(SOURCE, "tests/data/fields.tsv"), encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def as_text(fields):
    return "; ".join("%s=%s" % pair for pair in sorted(fields.items())) or "-"


class Fields(unittest.TestCase):
    def test_each_line_has_the_fields_that_the_table_says(self):
        lines = rows()
        with Tree() as tree:
            shipped.lay_out(SOURCE, tree.root, all_files=True)
            seen = tree.judge(*[row["line"] for row in lines])
        failures = ["%s\n    %s: %s instead of %s: %s" % (row["line"], event["decoder"], as_text(event["fields"]),
                                                          row["decoder"], row["fields"])
                    for row, event in zip(lines, seen)
                    if (event["decoder"], as_text(event["fields"])) != (row["decoder"], row["fields"])]
        print("%d lines" % len(lines))
        print("\n".join(failures))
        self.assertEqual(len(failures), 0, "lines whose fields differ")
        self.assertGreater(len(lines), 0)


if __name__ == "__main__":
    unittest.main()
