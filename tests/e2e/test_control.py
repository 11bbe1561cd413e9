"""ospatrol-control: start, stop, restart, reload, status, configtest of a local installation."""
import os
import subprocess
import unittest

from harness import Installation, local_configuration, needs_root, read, wait_for

DAEMONS = ("ospatrol-analysisd", "ospatrol-logcollector")

OWN_RULE = """<group name="local,">
  <rule id="100200" level="12">
    <match>%s</match>
    <description>made for a test</description>
  </rule>
</group>
"""


@needs_root
class Control(unittest.TestCase):
    def setUp(self):
        self.ospatrol = Installation()
        self.addCleanup(self.ospatrol.close)
        self.log_file = os.path.join(self.ospatrol.root, "app.log")
        open(self.log_file, "w").close()
        self.ospatrol.configure(local_configuration(self.log_file))

    def append(self, text):
        with open(self.log_file, "a") as f:
            f.write(text)

    def fired(self, rule):
        return [a for a in self.ospatrol.alerts() if a["rule"]["sidid"] == rule]

    def test_start_status_stop(self):
        result = self.ospatrol.control("status")
        self.assertEqual(result.returncode, 1)
        self.assertIn("ospatrol-analysisd not running...\n", result.stdout)
        started = self.ospatrol.start().stdout
        self.assertTrue(started.startswith("Starting OSPatrol "), started)
        for daemon in DAEMONS:
            self.assertIn("Started %s...\n" % daemon, started)
            self.assertIsNotNone(self.ospatrol.pid(daemon))
        self.assertTrue(started.endswith("Completed.\n"), started)
        result = self.ospatrol.control("status")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(result.stdout, "ospatrol-monitord is running...\nospatrol-logcollector is running...\n"
                         "ospatrol-analysisd is running...\n"
                         "ospatrol-execd is running...\n")
        self.assertIn("ospatrol-analysisd already running...", self.ospatrol.start().stdout)
        result = self.ospatrol.control("stop")
        self.assertEqual(result.returncode, 0)
        for daemon in DAEMONS:
            self.assertIsNone(self.ospatrol.pid(daemon))
        self.assertEqual(os.listdir(self.ospatrol.path("queue/ospatrol")), [])
        self.assertFalse([f for f in os.listdir(self.ospatrol.path("var/run")) if f.endswith(".pid")])
        self.assertEqual(self.ospatrol.control("status").returncode, 1)

    def test_restart_with_a_broken_rule_file_keeps_the_running_daemons(self):
        self.ospatrol.start()
        before = [self.ospatrol.pid(d) for d in DAEMONS]
        self.ospatrol.write("rules/local_rules.xml", "<group name=\"local,\">\n<rule id=\"100200\" levle=\"3\">"
                            "<match>x</match></rule>\n</group>\n")
        for action in ("restart", "reload"):
            result = self.ospatrol.control(action)
            self.assertEqual(result.returncode, 1, action)
            self.assertIn("rules/local_rules.xml:2", result.stderr)
            self.assertIn("level", result.stderr)
        self.assertEqual([self.ospatrol.pid(d) for d in DAEMONS], before)
        result = self.ospatrol.control("configtest")
        self.assertEqual(result.returncode, 1)

    def test_configtest_has_no_side_effects(self):
        result = self.ospatrol.control("configtest")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse(os.path.exists(self.ospatrol.path("etc/shared/ar.conf")))
        self.assertEqual(os.listdir(self.ospatrol.path("queue/ospatrol")), [])

    def test_reload_takes_new_rules_and_log_files_without_a_restart(self):
        self.ospatrol.start()
        before = [self.ospatrol.pid(d) for d in DAEMONS]
        second = os.path.join(self.ospatrol.root, "second.log")
        with open(second, "w") as f:
            f.write("Nov 22 10:00:00 gw1 app[1]: zebra crossing\n")
        self.ospatrol.write("rules/local_rules.xml", OWN_RULE % "zebra")
        self.ospatrol.configure(local_configuration(self.log_file, second))
        result = self.ospatrol.control("reload")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        alert = wait_for(lambda: self.fired(100200), "an alert of the new rule from the new file")[0]
        self.assertEqual(alert["location"], second)
        self.assertEqual([self.ospatrol.pid(d) for d in DAEMONS], before)

    def test_reload_reports_what_the_daemon_says(self):
        self.ospatrol.start()
        before = [self.ospatrol.pid(d) for d in DAEMONS]
        self.append("Nov 22 10:00:00 gw1 app[1]: nothing\n")
        # Root, who tests the configuration, may read it; the daemon may not.
        os.chmod(self.ospatrol.path("rules/local_rules.xml"), 0o600)
        result = self.ospatrol.control("reload")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn("ospatrol-analysisd refused the new configuration", result.stderr)
        self.assertIn("rules/local_rules.xml", result.stderr)
        self.assertIn("Reloaded ospatrol-logcollector...", result.stdout)
        self.assertNotIn("Reloaded ospatrol-analysisd", result.stdout)
        self.assertEqual([self.ospatrol.pid(d) for d in DAEMONS], before)
        os.chmod(self.ospatrol.path("rules/local_rules.xml"), 0o640)
        result = self.ospatrol.control("reload")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("Reloaded ospatrol-analysisd...", result.stdout)

    def test_signal_with_a_broken_file_leaves_the_old_rules_in_force_and_says_why(self):
        self.ospatrol.write("rules/local_rules.xml", OWN_RULE % "giraffe")
        self.ospatrol.start()
        self.ospatrol.write("rules/local_rules.xml", "<group name=\"local,\">\n<rule id=\"100200\" level=\"3\">"
                            "<mtach>x</mtach></rule>\n</group>\n")
        os.kill(self.ospatrol.pid("ospatrol-analysisd"), 1)
        wait_for(lambda: "rules/local_rules.xml:2" in self.ospatrol.log(), "the reason in the log")
        self.append("Nov 22 10:00:00 gw1 app[1]: giraffe\n")
        wait_for(lambda: self.fired(100200), "an alert of the old rule")

    def test_a_list_that_changed_is_used_without_a_reload(self):
        self.ospatrol.write("rules/blocked", "alpha:1\n")
        self.ospatrol.write("rules/local_rules.xml", """<group name="local,">
  <rule id="100200" level="9">
    <list field="program_name">blocked</list>
    <description>made for a test</description>
  </rule>
</group>
""")
        self.ospatrol.configure(local_configuration(self.log_file).replace(
            "  </rules>", "    <list>blocked</list>\n  </rules>"))
        self.ospatrol.start()
        self.append("Nov 22 10:00:00 gw1 alpha[1]: first\n")
        wait_for(lambda: self.fired(100200), "an alert of the first entry")
        self.ospatrol.write("rules/blocked", "alpha:1\nbeta:1\n")
        wait_for(lambda: "rules/blocked" in self.ospatrol.log(), "the list in the log")
        self.append("Nov 22 10:00:01 gw1 beta[1]: second\n")
        wait_for(lambda: len(self.fired(100200)) == 2, "an alert of the new entry")

    def test_a_second_instance_is_refused(self):
        self.ospatrol.start()
        before = self.ospatrol.pid("ospatrol-analysisd")
        result = self.ospatrol.run_daemon("ospatrol-analysisd")
        self.assertEqual(result.returncode, 1)
        self.assertIn("(9010): ERROR: Another process", result.stderr)
        self.assertEqual(self.ospatrol.pid("ospatrol-analysisd"), before)
        self.assertEqual(self.ospatrol.control("status").returncode, 0)

    def test_planted_pid_files_are_not_trusted(self):
        planted = self.ospatrol.path("var/run/ospatrol-analysisd-%d.pid" % os.getpid())
        with open(planted, "w") as f:
            f.write("%d\n" % os.getpid())
        result = self.ospatrol.control("stop")
        self.assertEqual(result.returncode, 0)
        self.assertIn("ospatrol-analysisd not running ..", result.stdout)
        self.assertFalse(os.path.exists(planted))

    def test_programs_work_on_the_installation_that_they_lie_in(self):
        broken = "<ospatrol_config>\n<nonsense>\n</nonsense>\n</ospatrol_config>\n"
        path = self.ospatrol.path("etc/ospatrol.conf")
        before = read(path)
        try:
            self.ospatrol.write("etc/ospatrol.conf", broken)
            for program in ("ospatrol-analysisd", "ospatrol-logcollector", "ospatrol-logtest"):
                result = subprocess.run([self.ospatrol.path("bin/" + program), "-t"], capture_output=True, text=True)
                self.assertEqual(result.returncode, 1, program)
                self.assertIn("etc/ospatrol.conf:2: <nonsense>", result.stderr, program)
        finally:
            self.ospatrol.write("etc/ospatrol.conf", before)
        for program in ("ospatrol-analysisd", "ospatrol-logtest"):
            result = subprocess.run([self.ospatrol.path("bin/" + program), "-t"], capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_unknown_action_prints_the_usage(self):
        result = self.ospatrol.control("dance")
        self.assertEqual(result.returncode, 1)
        self.assertIn("Usage: ", result.stdout)


if __name__ == "__main__":
    unittest.main()
