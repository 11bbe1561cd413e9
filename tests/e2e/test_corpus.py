"""Real logs nobody here wrote, through ospatrol-logtest. Needs OSPATROL_CORPUS; a file of its own, so that a run without
it is reported as skipped."""
import json
import os
import subprocess
import unittest
from collections import Counter

from harness import BUILD, CORPUS, Installation, local_configuration, needs_corpus, needs_root


@needs_root
@needs_corpus
class Corpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ospatrol = Installation(local_configuration("/nonexistent"))

    @classmethod
    def tearDownClass(cls):
        cls.ospatrol.close()

    def judge(self, name):
        """Lines of loghub/NAME and what became of each."""
        with open(os.path.join(CORPUS, "loghub", name), newline="", encoding="utf-8", errors="replace") as f:
            lines = [line.rstrip("\r\n") for line in f]
        result = subprocess.run([os.path.join(BUILD, "src/ospatrol-logtest"), "-D", self.ospatrol.prefix, "--json"],
                                input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120)
        objects = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(len(objects), len(lines))
        return list(zip(lines, objects))

    def test_openssh(self):
        judged = self.judge("OpenSSH_2k.log")
        # What each kind of line must come to, itself or as the event that completes a composite rule.
        kinds = {
            "Failed password for": (520, {5710, 5716, 5712, 5720, 40111}),
            "Failed password for invalid user": (135, {5710, 5712, 40111}),
            "Failed password for root": (370, {5716, 5720, 40111}),
            ": Invalid user": (113, {5710, 5712, 40111}),
            "POSSIBLE BREAK-IN": (85, {5702, 5703, 5757}),
            "Did not receive identification": (10, {5706}),
            "Received disconnect from": (468, {5721}),
            "Connection closed by": (34, {5722}),
            "Too many authentication": (3, {57000}),
        }
        for text, (count, rules) in kinds.items():
            seen = Counter(o["rule"]["id"] if o["rule"] else None for line, o in judged if text in line)
            print("%-36s %4d %s" % (text, sum(seen.values()), dict(seen)))
            self.assertEqual(sum(seen.values()), count, text)
            self.assertLessEqual(set(seen), rules, text)

    def test_every_line_of_the_other_logs_is_judged(self):
        for name in ("Linux_2k.log", "Apache_2k.log", "Mac_2k.log", "Windows_2k.log"):
            judged = self.judge(name)
            high = sum(1 for _, o in judged if o["rule"] and o["rule"]["level"] >= 7)
            print("%-18s %d lines, %d decoded, %d with a rule, %d at level 7 or above" % (
                name, len(judged), sum(1 for _, o in judged if o["decoder"]),
                sum(1 for _, o in judged if o["rule"]), high))


if __name__ == "__main__":
    unittest.main()
