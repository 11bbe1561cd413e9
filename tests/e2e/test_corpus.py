"""Real logs nobody here wrote, through ospatrol-logtest. Needs OSPATROL_CORPUS; a file of its own, so that a run without
it is reported as skipped."""
import json
import os
import pathlib
import subprocess
import unittest

import harness  # noqa: F401  where the next one is found
import real_logs
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
                                input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=600)
        objects = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(len(objects), len(lines))
        return list(zip(lines, objects))

    def test_real_logs_come_to_their_rules_without_false_alarms(self):
        logtest = os.path.join(BUILD, "src/ospatrol-logtest")
        text, problems, _ = real_logs.section(logtest, pathlib.Path(CORPUS) / "loghub")
        print(text)
        self.assertEqual(problems, [])

    def test_every_line_of_the_other_logs_is_judged(self):
        for name in ("Linux_2k.log", "Apache_2k.log", "Mac_2k.log", "Windows_2k.log"):
            judged = self.judge(name)
            high = sum(1 for _, o in judged if o["rule"] and o["rule"]["level"] >= 7)
            print("%-18s %d lines, %d decoded, %d with a rule, %d at level 7 or above" % (
                name, len(judged), sum(1 for _, o in judged if o["decoder"]),
                sum(1 for _, o in judged if o["rule"]), high))


if __name__ == "__main__":
    unittest.main()
