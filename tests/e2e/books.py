"""Agents that write numbered lines, managers that archive them, and the books of both: delivered, repeated, lost, in order.

The table that each test file prints at its end is the one of docs/performance.md; OSPATROL_TABLE names a file that gets its
rows, too."""
import os
import re
import time
import unittest

from harness import Installation, local_configuration, read, wait_for
from network import Network

LINES = 2000
OUTAGE = int(os.environ.get("OSPATROL_OUTAGE", "15"))  # seconds; the table of docs/performance.md has 60
TABLE = []


class Host:
    """An agent in its network namespace, and a log file that it sends. `servers`: addresses of its managers."""

    def __init__(self, net, name, servers, port=1514, client="", local=""):
        self.net, self.name = net, name
        self.agent = Installation(kind="agent", manager=servers[0], namespace=net.namespace(name))
        self.log_file = os.path.join(self.agent.root, "app.log")
        open(self.log_file, "w", encoding="utf-8").close()
        self.agent.configure("""<ospatrol_config>
  <client>%s<port>%d</port><notify_time>5</notify_time><time-reconnect>20</time-reconnect>%s</client>
  <localfile><log_format>syslog</log_format><location>%s</location><read_from>beginning</read_from></localfile>
%s</ospatrol_config>
""" % ("".join("<server-ip>%s</server-ip>" % server for server in servers), port, client, self.log_file, local))
        self.written = 0
        self.key_name = name  # as what the manager knows it

    def write(self, count, file=None):
        with open(file or self.log_file, "a", encoding="utf-8") as f:
            for _ in range(count):
                self.written += 1
                f.write("Nov 22 10:00:00 %s app[1]: line %07d of the books.\n" % (self.name, self.written))

    def restart(self, daemon):
        self.agent.kill(daemon)
        result = self.agent.run_daemon(daemon)
        if result.returncode != 0:
            raise AssertionError(result.stderr)

    def spooled(self, number):
        """Is this line in the spool (or was, in a segment that is still there)?"""
        text = "line %07d of" % number
        folder = self.agent.path("queue/spool")
        return any(text in read(os.path.join(folder, name)) for name in sorted(os.listdir(folder), reverse=True))


class Books(unittest.TestCase):
    protocol = "v2"    # what the agents and managers come to speak
    configured = None  # what <protocol> of the agents says, unless the same
    managers = ("manager",)
    names = ("web", "db", "mail")

    def setUp(self):
        self.net = Network(*self.managers, *self.names)
        self.addCleanup(self.net.close)
        self.manager = self.server(self.managers[0])
        self.hosts = {}

    def server(self, name):
        """A manager that archives all events, not started."""
        manager = Installation(kind="server", namespace=self.net.namespace(name))
        self.addCleanup(manager.close)
        manager.configure(local_configuration(extra="""
  <global><logall>yes</logall></global>
  <remote><connection>secure</connection></remote>"""))
        return manager

    def add(self, name, **options):
        """An enrolled agent, not started."""
        servers = options.pop("servers", None) or [options.pop("manager_address", self.net.address("manager"))]
        host = Host(self.net, name, servers,
                    client="<protocol>%s</protocol>%s" % (self.configured or self.protocol, options.pop("client", "")),
                    **options)
        self.addCleanup(host.agent.close)
        number = self.new_key(name)
        exported = self.manager.run("bin/manage_agents", "-D", self.manager.prefix, "-e", number).stdout.split()[-1]
        imported = host.agent.run("bin/manage_agents", "-D", host.agent.prefix, "-i", exported)
        self.assertEqual(imported.returncode, 0, imported.stderr)
        host.number = number
        self.hosts[name] = host
        return host

    def new_key(self, name):
        """The number of a new agent."""
        added = self.manager.run("bin/manage_agents", "-D", self.manager.prefix, "-a", "any", "-n", name)
        return re.search(r"Agent added with ID (\d+)", added.stdout).group(1)

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

    def delivered(self, host, manager=None):
        """Numbers of the lines of `host` that a manager has, in its order."""
        folder = (manager or self.manager).path("logs/archives")
        text = read(os.path.join(folder, "archives.log"))
        return [int(n) for n in re.findall(
            r"\(%s\) any->\S+ .* %s app\[1\]: line (\d{7}) of the books\." % (host.key_name, host.name), text)]

    def wait_for_all(self, host):
        wait_for(lambda: len(set(self.delivered(host))) >= host.written,
                 lambda: "%d lines of %s (%d have come)\nmanager:\n%s\nagent:\n%s" % (
                     host.written, host.name, len(set(self.delivered(host))), self.manager.log()[-1500:],
                     host.agent.log()[-1500:]), pause=0.2)

    def settle(self, host, quiet=10, patience=300):
        """Waits until the agent is connected and nothing new has come for `quiet` seconds."""
        seen, since, end = -1, time.monotonic(), time.monotonic() + patience
        while time.monotonic() - since < quiet and time.monotonic() < end:
            log = host.agent.log()
            now = len(self.delivered(host))
            if now != seen or log.rfind("unavailable") > log.rfind("Connected to server"):
                seen, since = now, time.monotonic()
            time.sleep(0.5)

    def close_books(self, scenario, *hosts, repeats_allowed=0):
        """Version 2: nothing lost, nothing repeated, in order. Version 1 promises less: the row says how much."""
        for host in hosts:
            if self.protocol == "v2":
                self.wait_for_all(host)
            else:
                self.settle(host)
            lost, repeated = self.enter(scenario, host, self.delivered(host))
            if self.protocol != "v2":
                continue
            self.assertEqual(lost, 0, scenario)
            self.assertLessEqual(repeated, repeats_allowed, scenario)
            if repeated == 0:
                self.check_order(host, self.delivered(host))

    def enter(self, scenario, host, numbers):
        """A row of the table; gives (lost, repeated)."""
        lost = host.written - len(set(numbers))
        repeated = len(numbers) - len(set(numbers))
        TABLE.append((self.protocol, scenario, host.name, host.written, len(set(numbers)), repeated, lost))
        return lost, repeated

    def check_order(self, host, numbers):
        self.assertEqual(numbers, sorted(numbers), "order of %s" % host.name)

    def restart_on_manager(self, daemon):
        self.manager.kill(daemon)
        result = self.manager.run_daemon(daemon)
        self.assertEqual(result.returncode, 0, result.stderr)

    @classmethod
    def tearDownClass(cls):
        print("\n%-4s %-44s %-5s %8s %9s %8s %5s" % ("", "scenario", "agent", "written", "delivered", "repeated", "lost"))
        for row in TABLE:
            print("%-4s %-44s %-5s %8d %9d %8d %5d" % row)
            if "OSPATROL_TABLE" in os.environ:
                with open(os.environ["OSPATROL_TABLE"], "a", encoding="utf-8") as f:
                    f.write("\t".join(str(field) for field in row) + "\n")
        TABLE.clear()
