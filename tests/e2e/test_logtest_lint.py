"""ospatrol-logtest --lint and --mutate on the shipped rules, and on copies with one fault each."""
import os
import re
import subprocess
import unittest

from harness import BUILD, SOURCE, Installation, local_configuration, needs_root

ROOT = '<group name="local,">\n'

# What stands in local_rules.xml behind ROOT (its first line is 2), and what lint says.
RULE_FAULTS = (
    ('<rule id="100001" level="9"><if_sid>5716</if_sid><match>x</match><description>d</description></rule>\n'
     '<rule id="100002" level="8"><if_sid>5716</if_sid><match>x</match><description>d</description></rule>',
     "rules/local_rules.xml:3: rule 100002: is never tried: rule 100001 comes before it"),
    ('<rule id="100001" level="9"><if_sid>5716</if_sid><description>d</description></rule>\n'
     '<rule id="100002" level="8"><if_sid>5716</if_sid><match>x</match><description>d</description></rule>',
     "rules/local_rules.xml:3: rule 100002: is never tried: rule 100001 has no condition"),
    ('<rule id="100001" level="9"><if_sid>5716</if_sid>\n<list field="srcip">rules/none</list>'
     '<description>d</description></rule>',
     "rules/local_rules.xml:3: rule 100001: <list>: no list 'rules/none' is configured"),
    ('<rule id="100001" level="9">\n<if_sid>99999</if_sid><description>d</description></rule>',
     "rules/local_rules.xml:3: rule 100001: <if_sid> names rule 99999, which does not exist"),
    ('<rule id="100001" level="9">\n<decoded_as>nobody</decoded_as><description>d</description></rule>',
     "rules/local_rules.xml:3: rule 100001: <decoded_as>: no decoder 'nobody'"),
    ('<rule id="5716" level="9"><match>x</match><description>d</description></rule>',
     "rules/local_rules.xml:2: rule 5716: the id is taken by the rule at rules/sshd_rules.xml:"),
    ('<rule id="100001" level="9">\n<pcre2>total$ 5</pcre2><description>d</description></rule>',
     "rules/local_rules.xml:3: rule 100001: <pcre2> 'total$ 5' never matches"),
    ('<rule id="100001" level="9">\n<match_pcre2>.*x</match_pcre2><description>d</description></rule>',
     "rules/local_rules.xml:3: rule 100001: <match_pcre2> '.*x' begins with any text"),
    ('<rule id="100001" level="9">\n<field name="dstuser">^root</field><description>d</description></rule>',
     'rules/local_rules.xml:3: rule 100001: <field name="dstuser">: no decoder extracts such a field'),
    ('<rule id="100001" level="0" noalert="1"><match>x</match><description>d</description></rule>',
     "rules/local_rules.xml:2: rule 100001: has noalert and no rule below it"),
)

DECODER_FAULTS = (
    ('<decoder name="p"><program_name>^planted$</program_name></decoder>\n'
     '<decoder name="q"><program_name>^planted$</program_name></decoder>',
     "decoders/9000-planted.xml:2: decoder 'q': is never reached"),
    ('<decoder name="p"><program_name>^planted$</program_name></decoder>\n'
     '<decoder name="c"><parent>p</parent><regex>(a)</regex><order>id</order></decoder>\n'
     '<decoder name="d"><parent>p</parent><prematch>x</prematch><regex>(a)</regex><order>id</order></decoder>',
     "decoders/9000-planted.xml:3: decoder 'd': is never reached: the child 'c'"),
    ('<decoder name="p"><program_name>^planted$</program_name><regex>(a)</regex>\n<order>id, url</order></decoder>',
     "decoders/9000-planted.xml:2: decoder 'p': <order> has 2 names"),
    ('<decoder name="p"><program_name>^planted$</program_name>\n<regex>(a)(b)</regex><order>id</order></decoder>',
     "decoders/9000-planted.xml:2: decoder 'p': the pattern captures up to 2 texts"),
)


@needs_root
class Lint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ospatrol = Installation(local_configuration("/nonexistent"))

    @classmethod
    def tearDownClass(cls):
        cls.ospatrol.close()

    def logtest(self, *arguments):
        return subprocess.run([os.path.join(BUILD, "src/ospatrol-logtest"), "-D", self.ospatrol.prefix, *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3000)

    def lint(self):
        """Its lines but the last, the count, which must be right, as must be the exit code."""
        result = self.logtest("--lint")
        *lines, last = result.stdout.splitlines()
        self.assertEqual(last, "%d problems" % len(lines), result.stdout + result.stderr)
        self.assertEqual(result.returncode, 1 if lines else 0)
        return lines

    def planted(self, relative, text):
        path = self.ospatrol.path(relative)
        before = open(path).read() if os.path.exists(path) else None
        self.ospatrol.write(relative, text)
        try:
            return self.lint()
        finally:
            if before is None:
                os.remove(path)
            else:
                self.ospatrol.write(relative, before)

    def test_shipped_rules_and_decoders_are_clean(self):
        self.assertEqual(self.lint(), [])

    def test_each_planted_fault_is_told_with_its_line(self):
        for text, expected in RULE_FAULTS:
            with self.subTest(expected):
                lines = self.planted("rules/local_rules.xml", ROOT + text + "\n</group>\n")
                self.assertTrue(any(line.startswith(expected) for line in lines), "\n".join(lines))
        for text, expected in DECODER_FAULTS:
            with self.subTest(expected):
                lines = self.planted("decoders/9000-planted.xml", text + "\n")
                self.assertTrue(any(line.startswith(expected) for line in lines), "\n".join(lines))

    def test_mutants_of_sshd_rules_are_noticed(self):
        result = self.logtest("--tests", os.path.join(SOURCE, "tests/rules/sshd.ini"), "--mutate")
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = result.stdout.splitlines()
        summary = re.fullmatch(r"(\d+) mutants, (\d+) noticed, (\d+) unnoticed in (\d+) rules, "
                               r"(\d+) rules without a test that notices", lines[-1])
        self.assertIsNotNone(summary, lines[-1])
        mutants, noticed, unnoticed, loose, silent = map(int, summary.groups())
        self.assertEqual((unnoticed, loose), (mutants - noticed, len(lines) - 1))
        self.assertGreater(noticed, 0)
        self.assertGreater(mutants, noticed, "the other families have no test here")
        self.assertEqual(silent, sum(not line.endswith("are held") for line in lines[:-1]))
        self.assertFalse([line for line in lines if "rule 5716: no test notices when <match" in line], lines)
        self.assertRegex(result.stderr, r"\d+ of \d+ rules")

    def test_mutate_needs_test_files(self):
        self.assertEqual(self.logtest("--mutate").returncode, 1)


if __name__ == "__main__":
    unittest.main()
