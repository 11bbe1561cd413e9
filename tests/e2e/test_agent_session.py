"""ospatrol-agentd with ospatrol-remoted, protocol 2: every line of a log file arrives at the manager once and in order,
whatever is killed; files, responses and alerts about local changes."""
import os
import random
import re
import signal
import socket
import time
import unittest

from harness import Installation, free_port, local_configuration, needs_root, read, wait_for

KEY = "0123456789abcdef" * 4
LINE = re.compile(r"app\[1\]: line (\d+)\.")


@needs_root
class Session(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.manager = Installation(kind="server")
        self.addCleanup(self.manager.close)
        self.manager.configure(local_configuration(extra="""
  <global><logall>yes</logall></global>
  <remote><connection>secure</connection><port>%d</port></remote>
""" % self.port))
        self.agent = Installation(kind="agent", manager="127.0.0.1")
        self.addCleanup(self.agent.close)
        self.log_file = os.path.join(self.agent.root, "app.log")
        open(self.log_file, "w").close()
        self.agent.configure("""<ospatrol_config>
  <client><server-ip>127.0.0.1</server-ip><port>%d</port><notify_time>5</notify_time></client>
  <localfile><log_format>syslog</log_format><location>%s</location><read_from>beginning</read_from></localfile>
</ospatrol_config>
""" % (self.port, self.log_file))
        for installation in (self.manager, self.agent):
            installation.write("etc/client.keys", "001 web01 any %s\n" % KEY)
        self.written = 0
        self.manager.start()
        self.agent.start()
        wait_for(lambda: "protocol 2" in self.agent.log(), "the session; the log:\n" + self.agent.log()[-2000:])

    def log_lines(self, count):
        with open(self.log_file, "a") as f:
            for _ in range(count):
                self.written += 1
                f.write("Nov 22 10:00:00 web01 app[1]: line %d.\n" % self.written)

    def archives(self):
        return read(self.manager.path("logs/archives/archives.log"))

    def numbers(self):
        return [int(number) for number in LINE.findall(self.archives())]

    def wait_for_lines(self):
        wait_for(lambda: len(set(self.numbers())) >= self.written, "all %d lines" % self.written, pause=0.2)
        time.sleep(1)  # what would be repeated
        return self.numbers()

    def test_lines_arrive_once_and_in_order_whatever_is_killed(self):
        for victim in ("agent -9", "remoted -9", "agent", "remoted", "manager for a while"):
            before = len(self.numbers())
            self.log_lines(400)
            time.sleep(random.uniform(0.02, 0.3))
            kind = signal.SIGKILL if victim.endswith("-9") else signal.SIGTERM
            if victim.startswith("agent"):
                self.agent.kill("ospatrol-agentd", kind)
                self.log_lines(200)
                self.assertEqual(self.agent.run_daemon("ospatrol-agentd").returncode, 0)
            elif victim.startswith("remoted"):
                self.manager.kill("ospatrol-remoted", kind)
                self.log_lines(200)
                self.assertEqual(self.manager.run_daemon("ospatrol-remoted").returncode, 0)
            else:
                self.manager.kill("ospatrol-remoted", kind)
                for _ in range(10):
                    self.log_lines(20)
                    time.sleep(1)
                self.assertEqual(self.manager.run_daemon("ospatrol-remoted").returncode, 0)
            numbers = self.wait_for_lines()
            print("%-20s written %d, delivered %d, repeated %d" % (
                victim, self.written - before, len(set(numbers)) - before, len(numbers) - len(set(numbers))))
            self.assertEqual(numbers, list(range(1, self.written + 1)), victim)

    def test_a_reload_keeps_the_session_unless_it_changes_the_connection(self):
        def reload():
            reloads = self.agent.log().count("Configuration read again")
            os.kill(self.agent.pid("ospatrol-agentd"), signal.SIGHUP)
            wait_for(lambda: self.agent.log().count("Configuration read again") > reloads, "the reload")

        def sessions():
            return self.agent.log().count("protocol 2")

        before = sessions()
        reload()
        path = self.agent.path("etc/ospatrol.conf")
        text = read(path)
        self.agent.configure(text.replace("</client>", "<spool_size>64</spool_size></client>"))
        reload()
        self.log_lines(10)
        self.wait_for_lines()
        self.assertEqual(sessions(), before)
        self.agent.configure(text.replace("<notify_time>5<", "<notify_time>7<"))
        reload()
        wait_for(lambda: sessions() > before, "a new session")
        self.log_lines(10)
        self.assertEqual(self.wait_for_lines(), list(range(1, 21)))

    def test_files_responses_and_local_changes(self):
        self.manager.write("etc/shared/agent.conf", "<agent_config name=\"web01\"></agent_config>\n")
        shared = self.agent.path("etc/shared/agent.conf")
        wait_for(lambda: "web01" in read(shared), "agent.conf at the agent")
        with open(shared, "a") as f:
            f.write("<!-- changed here -->\n")
        wait_for(lambda: any(alert["rule"]["sidid"] == 508 if "sidid" in alert["rule"] else
                             str(alert["rule"].get("id")) == "508" for alert in self.manager.alerts()), "alert of rule 508")
        self.assertEqual(read(shared), "<agent_config name=\"web01\"></agent_config>\n")
        before = self.agent.pid("ospatrol-agentd")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"(msg_to_agent) [] N!S 001 syscheck restart\0", self.manager.path("queue/alerts/ar"))
            wait_for(lambda: os.path.exists(self.agent.path("var/run/.syscheck_run")), "request for a scan")
            wait_for(lambda: os.path.exists(self.agent.path("etc/shared/ar.conf")), "ar.conf")
            sender.sendto(b"(msg_to_agent) [] NNS 001 restart-ossec0 - null (from_the_server) (no_rule_id)\0",
                          self.manager.path("queue/alerts/ar"))
        wait_for(lambda: self.agent.pid("ospatrol-agentd") not in (None, before), "another process of agentd")
        wait_for(lambda: self.archives().count("Agent started") >= 2, "the second start")
        self.assertIn("Agent stopped", self.archives())


if __name__ == "__main__":
    unittest.main()
