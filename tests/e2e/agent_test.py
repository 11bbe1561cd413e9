"""What tests of an agent against a manager of protocol version 1 have in common."""
import os
import re
import unittest

from harness import PATIENCE, Installation, wait_for
from legacy_manager import LegacyManager

KEY = "0123456789abcdef" * 4
AGENT = ("001", "web01", "any", KEY)


def content(path):
    with open(path, "rb") as f:
        return f.read()


class AgentTest(unittest.TestCase):
    """An installed agent and a file whose lines it sends."""

    def setUp(self):
        self.agent = Installation(kind="agent", manager="127.0.0.1")
        self.addCleanup(self.agent.close)
        self.log_file = os.path.join(self.agent.root, "app.log")
        open(self.log_file, "w").close()
        self.agent.write("etc/client.keys", " ".join(AGENT) + "\n")
        self.written = 0

    def manager(self, **options):
        manager = LegacyManager([AGENT], **options)
        manager.open()
        self.addCleanup(manager.close)
        return manager

    def configure(self, port, servers=("127.0.0.1",), client="", local=""):
        self.agent.configure("""<ospatrol_config>
  <client>%s<port>%d</port><notify_time>5</notify_time><time-reconnect>60</time-reconnect>%s</client>
  <localfile><log_format>syslog</log_format><location>%s</location><read_from>beginning</read_from></localfile>
%s</ospatrol_config>
""" % ("".join("<server-ip>%s</server-ip>" % server for server in servers), port, client, self.log_file, local))

    def start(self, port, **options):
        self.configure(port, **options)
        self.agent.start()

    def log_lines(self, count):
        with open(self.log_file, "a") as f:
            for _ in range(count):
                self.written += 1
                f.write("Nov 22 10:00:00 web01 app[1]: line %d.\n" % self.written)

    def numbers(self, manager):
        """The numbers of the log lines that have arrived, in order."""
        return [int(found.group(1)) for found in
                (re.search(r"app\[1\]: line (\d+)\.", event) for event in list(manager.events)) if found]

    def wait_for_lines(self, manager, patience=PATIENCE):
        wait_for(lambda: set(self.numbers(manager)) >= set(range(1, self.written + 1)),
                 "all %d lines" % self.written, patience)

    def wait_for_keep_alives(self, manager, count):
        """Waits for so many more; what the manager did about all of them but the last is done then."""
        before = len(manager.keep_alives)
        wait_for(lambda: len(manager.keep_alives) >= before + count, "%d keep-alives" % count)

    def wait_for_event(self, manager, text):
        return wait_for(lambda: next((event for event in list(manager.events) if text in event), None),
                        "an event with " + text)
