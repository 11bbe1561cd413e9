"""A manager and its agents as hosts of a network that loses, repeats, re-orders and cuts: the books must balance.

What is written and counted, and the table that is printed at the end, is in books.py."""
import os
import subprocess
import sys
import time
import unittest

from books import LINES, OUTAGE, Books
from harness import SOURCE, wait_for
from network import needs_network


class Scenarios:
    """What happens to both protocols."""

    def test_three_agents_two_of_them_behind_one_address(self):
        self.net.translate("web", "db")
        hosts = self.start("web", "db", "mail")
        for host in hosts:
            host.write(LINES)
        self.close_books("nothing wrong, NAT", *hosts)
        for name in self.names:
            wait_for(lambda: "Name: %s, IP: any, Active" % name in self.manager.run(
                "bin/agent_control", "-D", self.manager.prefix, "-lc").stdout, "%s in the list" % name)

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
