"""A manager and its agents as hosts of a network that loses, repeats, re-orders and cuts: the books must balance.

Every agent writes numbered lines; what the manager has archived of them is counted: delivered, repeated, lost, in order.
The table that is printed at the end is the one of docs/performance.md."""
import os
import re
import subprocess
import sys
import time
import unittest

from harness import SOURCE, Installation, local_configuration, read, wait_for
from network import Network, needs_network

LINES = 2000
OUTAGE = int(os.environ.get("OSPATROL_OUTAGE", "15"))  # seconds; the table of docs/performance.md has 60
TABLE = []


class Host:
    """An agent in its network namespace, and a log file that it sends."""

    def __init__(self, net, name, manager_address, port=1514, client=""):
        self.net, self.name = net, name
        self.agent = Installation(kind="agent", manager=manager_address, namespace=net.namespace(name))
        self.log_file = os.path.join(self.agent.root, "app.log")
        open(self.log_file, "w", encoding="utf-8").close()
        self.agent.configure("""<ospatrol_config>
  <client><server-ip>%s</server-ip><port>%d</port><notify_time>5</notify_time><time-reconnect>20</time-reconnect>%s</client>
  <localfile><log_format>syslog</log_format><location>%s</location><read_from>beginning</read_from></localfile>
</ospatrol_config>
""" % (manager_address, port, client, self.log_file))
        self.written = 0

    def write(self, count):
        with open(self.log_file, "a", encoding="utf-8") as f:
            for _ in range(count):
                self.written += 1
                f.write("Nov 22 10:00:00 %s app[1]: line %07d of the books.\n" % (self.name, self.written))

    def restart(self, daemon):
        self.agent.kill(daemon)
        result = self.agent.run_daemon(daemon)
        if result.returncode != 0:
            raise AssertionError(result.stderr)


class Books(unittest.TestCase):
    protocol = "v2"
    names = ("web", "db", "mail")

    def setUp(self):
        self.net = Network("manager", *self.names)
        self.addCleanup(self.net.close)
        self.manager = Installation(kind="server", namespace=self.net.namespace("manager"))
        self.addCleanup(self.manager.close)
        self.manager.configure(local_configuration(extra="""
  <global><logall>yes</logall></global>
  <remote><connection>secure</connection></remote>"""))
        self.hosts = {}

    def add(self, name, **options):
        """An enrolled agent, not started."""
        address = options.pop("manager_address", self.net.address("manager"))
        host = Host(self.net, name, address, client="<protocol>%s</protocol>%s" % (self.protocol, options.pop("client", "")),
                    **options)
        self.addCleanup(host.agent.close)
        added = self.manager.run("bin/manage_agents", "-D", self.manager.prefix, "-a", "any", "-n", name)
        number = re.search(r"Agent added with ID (\d+)", added.stdout).group(1)
        exported = self.manager.run("bin/manage_agents", "-D", self.manager.prefix, "-e", number).stdout.split()[-1]
        imported = host.agent.run("bin/manage_agents", "-D", host.agent.prefix, "-i", exported)
        self.assertEqual(imported.returncode, 0, imported.stderr)
        self.hosts[name] = host
        return host

    def start(self, *names, **options):
        self.manager.start()
        hosts = [self.add(name, **options) for name in names]
        for host in hosts:
            host.agent.start()
        for host in hosts:
            host.write(1)
        for host in hosts:
            self.wait_for_all(host)
        return hosts[0] if len(hosts) == 1 else hosts

    def delivered(self, host):
        """Numbers of the lines of `host` that the manager has, in its order."""
        folder = self.manager.path("logs/archives")
        text = read(os.path.join(folder, "archives.log"))
        return [int(n) for n in re.findall(r"\(%s\) any->\S+ .* app\[1\]: line (\d{7}) of the books\." % host.name, text)]

    def wait_for_all(self, host, patience=120):
        wait_for(lambda: len(set(self.delivered(host))) >= host.written,
                 "%d lines of %s (%d have come)\nmanager:\n%s\nagent:\n%s" % (
                     host.written, host.name, len(set(self.delivered(host))), self.manager.log()[-1500:],
                     host.agent.log()[-1500:]), patience, 0.2)

    def settle(self, host, quiet=10):
        """Waits until nothing new has come for `quiet` seconds."""
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < quiet:
            now = len(self.delivered(host))
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.5)

    def close_books(self, scenario, *hosts, repeats_allowed=0):
        """Version 2: nothing lost, nothing repeated, in order. Version 1 promises less: the row says how much."""
        for host in hosts:
            if self.protocol == "v2":
                self.wait_for_all(host)
            else:
                self.settle(host)
            numbers = self.delivered(host)
            lost = host.written - len(set(numbers))
            repeated = len(numbers) - len(set(numbers))
            TABLE.append((self.protocol, scenario, host.name, host.written, len(set(numbers)), repeated, lost))
            if self.protocol != "v2":
                continue
            self.assertEqual(lost, 0, scenario)
            self.assertLessEqual(repeated, repeats_allowed, scenario)
            if repeated == 0:
                self.assertEqual(numbers, sorted(numbers), "order of %s" % host.name)

    def restart_on_manager(self, daemon):
        self.manager.kill(daemon)
        result = self.manager.run_daemon(daemon)
        self.assertEqual(result.returncode, 0, result.stderr)

    @classmethod
    def tearDownClass(cls):
        print("\n%-4s %-34s %-5s %8s %9s %8s %5s" % ("", "scenario", "agent", "written", "delivered", "repeated", "lost"))
        for row in TABLE:
            print("%-4s %-34s %-5s %8d %9d %8d %5d" % row)
        TABLE.clear()


class Scenarios:
    """What happens to both protocols."""

    def test_three_agents_two_of_them_behind_one_address(self):
        self.net.translate("web", "db")
        hosts = self.start("web", "db", "mail")
        for host in hosts:
            host.write(LINES)
        self.close_books("nothing wrong, NAT", *hosts)
        listed = self.manager.run("bin/agent_control", "-D", self.manager.prefix, "-lc").stdout
        for name in self.names:
            self.assertIn("Name: %s, IP: any, Active" % name, listed)

    def test_losses(self):
        host = self.start("web")
        self.net.lose(30)
        for _ in range(4):
            host.write(LINES // 4)
            time.sleep(0.5)
        self.close_books("30 % of all packets lost", host)

    def test_repeated_and_reordered_packets(self):
        relay = self.net.popen("web", [sys.executable, os.path.join(SOURCE, "tests/e2e/udp_disorder.py"), "2514",
                                       self.net.address("manager"), "1514", "20", "30"], stdout=subprocess.PIPE)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        self.assertEqual(relay.stdout.readline(), b"ready\n")
        self.addCleanup(relay.stdout.close)
        host = self.start("web", manager_address="127.0.0.1", port=2514)
        for _ in range(4):
            host.write(LINES // 4)
            time.sleep(0.5)
        self.close_books("20 % repeated, 30 % out of order", host)

    def test_a_cut(self):
        host = self.start("web")
        self.net.cut("web")
        for _ in range(5):
            host.write(LINES // 5)
            time.sleep(OUTAGE / 5)
        self.net.heal()
        self.close_books("network cut for %d s" % OUTAGE, host)

    def test_manager_down(self):
        host = self.start("web")
        self.manager.control("stop")
        for _ in range(5):
            host.write(LINES // 5)
            time.sleep(OUTAGE / 5)
        self.manager.start()
        self.close_books("manager stopped for %d s" % OUTAGE, host)

    def test_kills_of_remoted(self):
        host = self.start("web")
        for _ in range(5):
            host.write(LINES // 5)
            self.restart_on_manager("ospatrol-remoted")
        self.close_books("remoted killed (-9) 5 times", host)

    def test_kills_of_agentd(self):
        host = self.start("web")
        for _ in range(5):
            host.write(LINES // 5)
            host.restart("ospatrol-agentd")
        self.close_books("agentd killed (-9) 5 times", host)

    def test_kills_of_analysisd(self):
        host = self.start("web")
        for _ in range(5):
            host.write(LINES // 5)
            self.restart_on_manager("ospatrol-analysisd")
        # At most the frames in flight: eight, of at most 128 KiB.
        self.close_books("analysisd killed (-9) 5 times", host, repeats_allowed=5 * 8 * 1000)


@needs_network
class Version2(Scenarios, Books):
    def test_over_ipv6(self):
        host = self.start("web", manager_address=self.net.address("manager", 6))
        host.write(LINES)
        self.close_books("IPv6", host)

    def test_a_full_spool_makes_the_readers_wait(self):
        host = self.start("web", client="<spool_size>4</spool_size>")
        self.manager.control("stop")
        host.write(60000)  # more than fits
        wait_for(lambda: os.path.exists(host.agent.path("queue/ospatrol/.wait")), "the lock of a full spool")
        host.write(1000)
        self.manager.start()
        self.close_books("spool of 4 MiB full", host)

    def test_orders_of_the_manager_arrive(self):
        host = self.start("web")
        before = host.agent.pid("ospatrol-logcollector")
        result = self.manager.run("bin/agent_control", "-D", self.manager.prefix, "-R", "001")
        self.assertIn("Restarting agent: 001", result.stdout, result.stderr)
        wait_for(lambda: host.agent.pid("ospatrol-logcollector") not in (None, before), "another logcollector")
        wait_for(lambda: host.agent.control("status").returncode == 0, "all daemons of the agent")
        host.write(10)
        self.close_books("restart by the manager", host)


if __name__ == "__main__":
    unittest.main()
