"""A file with ten different faults: ten lines, each with file, line and remedy, from one run."""
import re
import subprocess
import unittest

from harness import Installation, needs_root

# (line of the file, what the message must name, what it must offer)
FAULTS = [
    (3, "jsonout_output", "yes or no"),
    (4, "email_maxperhour", "9999"),
    (5, "logal", "logall"),
    (8, "log_alert_level", "number"),
    (11, "log_format", "syslog"),
    (15, "localfile", "<location>"),
    (18, "timeout_allowed", "yes or no"),
    (21, "no-such-command", "block"),
    (24, "alerst", "alerts"),
    (28, "nowhere_rules.xml", "correct the name"),
]

FILE = """<ospatrol_config>
  <global>
    <jsonout_output>maybe</jsonout_output>
    <email_maxperhour>0</email_maxperhour>
    <logal>yes</logal>
  </global>
  <alerts>
    <log_alert_level>high</log_alert_level>
  </alerts>
  <localfile>
    <log_format>sislog</log_format>
    <location>/var/log/a.log</location>
  </localfile>
  <!-- a log without a place -->
  <localfile><log_format>syslog</log_format></localfile>
  <command>
    <name>block</name><executable>block.sh</executable><expect>srcip</expect>
    <timeout_allowed>perhaps</timeout_allowed>
  </command>
  <active-response>
    <command>no-such-command</command>
    <location>local</location>
  </active-response>
  <alerst>
  </alerst>
  <rules>
    <decoder_dir>decoders</decoder_dir>
    <include>nowhere_rules.xml</include>
  </rules>
</ospatrol_config>
"""


@needs_root
class ConfigurationFaults(unittest.TestCase):
    def test_each_of_ten_faults_has_its_own_line_with_place_and_remedy(self):
        with Installation(FILE) as ospatrol:
            seen = ""
            for daemon in ("ospatrol-analysisd", "ospatrol-logcollector"):
                result = subprocess.run([ospatrol.path("bin/" + daemon), "-t", "-D", ospatrol.prefix],
                                        capture_output=True, text=True, timeout=600)
                self.assertEqual(result.returncode, 1, daemon)
                seen += result.stderr
            lines = sorted({line.split(": ", 1)[1] for line in seen.splitlines() if "etc/ospatrol.conf:" in line},
                           key=lambda line: int(re.search(r"ospatrol\.conf:(\d+)", line).group(1)))
            print("\n".join(lines))
            for number, names, offers in FAULTS:
                hits = [line for line in lines if "ospatrol.conf:%d:" % number in line]
                self.assertEqual(len(hits), 1, "line %d: %s" % (number, hits))
                self.assertIn(names, hits[0])
                self.assertIn(offers, hits[0])
                self.assertRegex(hits[0], "expected|did you mean|correct")

    def test_each_daemon_names_the_file_that_it_was_given(self):
        with Installation(kind="server") as manager:
            manager.write("etc/other.conf", "<ospatrol_config>\n<nonsense>\n</nonsense>\n</ospatrol_config>\n")
            for daemon in ("analysisd", "execd", "logcollector", "monitord", "remoted"):
                result = subprocess.run([manager.path("bin/ospatrol-" + daemon), "-D", manager.prefix, "-t", "-c",
                                         manager.path("etc/other.conf")], capture_output=True, text=True)
                self.assertEqual(result.returncode, 1, daemon)
                self.assertRegex(result.stderr, r"ERROR: \S*etc/other\.conf:2: <nonsense>", daemon)


if __name__ == "__main__":
    unittest.main()
