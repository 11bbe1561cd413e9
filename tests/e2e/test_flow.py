"""ospatrol-control flow: the books of every hop balance, whatever came in."""
import os
import re
import socket
import unittest

from harness import NumberedLines, local_configuration, needs_root, wait_for

LINES = 5000
HOPS = ("log files", "logcollector", "stream", "queue", "analysisd", "alerts", "archives", "firewall")
ROW = re.compile(r"^(.{14}) *(\d+) +(\d+) +(-|full|<?\d+(?: B)?) +(\d+)  (.*)$")


@needs_root
class Flow(NumberedLines):
    def setUp(self):
        super().setUp()
        self.ospatrol.configure(local_configuration(self.log_file).replace(
            "<jsonout_output>", "<logall>yes</logall><jsonout_output>"))
        self.ospatrol.write("etc/local_internal_options.conf", "analysisd.state_interval=1\n", mode="a")

    def flow(self):
        """Rows of the table by hop: (in, out, queued, dropped, remark)."""
        result = self.ospatrol.control("flow")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.text = result.stdout
        rows = {}
        for line in result.stdout.split("\n\n")[0].splitlines()[1:]:
            match = ROW.match(line)
            self.assertIsNotNone(match, line)
            name, came, went, queued, dropped, remark = match.groups()
            rows[name.strip()] = (int(came), int(went), queued, int(dropped), remark)
        return rows

    def send(self, *datagrams):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect(self.ospatrol.path("queue/ospatrol/queue"))
            for datagram in datagrams:
                s.send(datagram)

    def test_every_event_is_accounted_for_at_every_hop(self):
        result = self.ospatrol.control("flow")
        self.assertEqual(result.returncode, 1, "nothing has run yet")
        self.ospatrol.start()
        before = wait_for(lambda: self.settled(0, 0), "the first figures")
        self.append(LINES)
        # A line that came just before, and what is no message at all.
        self.send(b"1:/x:Nov 22 10:00:00 gw1 app[1]: said twice\0", b"1:/x:Nov 22 10:00:00 gw1 app[1]: said twice\0",
                  b"nonsense\0", b"?\0")
        rows = wait_for(lambda: self.settled(LINES, 4), "the figures of all lines")
        self.assertEqual(sorted(rows), sorted(HOPS))
        self.assertNotIn("UNACCOUNTED", self.text)
        self.assertEqual(rows["log files"][:4], (LINES, LINES, "0 B", 0))
        self.assertGreaterEqual(rows["logcollector"][0], LINES)
        self.assertEqual(rows["logcollector"][0], rows["stream"][0], "what one sent the other received")
        self.assertEqual(rows["queue"][:2], (4, 4))
        self.assertEqual(rows["analysisd"][0], rows["stream"][1] + rows["queue"][1] + 1, "and its own start event")
        self.assertIn("2 malformed", rows["analysisd"][4])
        self.assertIn("1 repeated", rows["analysisd"][4])
        self.assertEqual(rows["alerts"][1] - before["alerts"][1], LINES)
        self.assertEqual(rows["archives"][1], rows["analysisd"][1] + 1, "the archive has repeated lines too")
        self.assertEqual(len(self.ospatrol.alerts()), rows["alerts"][1])
        self.assertIn("ospatrol-analysisd runs", self.text)

    def settled(self, lines, datagrams):
        """The rows, once that many have come through and nothing is under way."""
        rows = self.flow()
        if set(rows) != set(HOPS) or rows["log files"][0] != lines or rows["queue"][0] != datagrams:
            return None
        quiet = all(rows[hop][2] == "0" for hop in ("logcollector", "analysisd", "alerts", "archives"))
        return rows if quiet and rows["logcollector"][0] == rows["stream"][0] else None

    def test_figures_move_while_events_flow(self):
        self.ospatrol.start()
        for _ in range(3):
            self.append(LINES)
            wait_for(lambda: self.flow().get("alerts", (0,))[0] >= self.written, "figures of line %d" % self.written)

    def test_says_when_nothing_runs_and_follows_no_link(self):
        os.symlink("/etc/passwd", self.ospatrol.path("var/run/ospatrol-analysisd.state"))
        os.mkfifo(self.ospatrol.path("var/run/ospatrol-logcollector.state"))
        result = self.ospatrol.control("flow")
        self.assertEqual(result.returncode, 1)
        self.assertIn("ospatrol-analysisd does not run; it has left no figures", result.stdout)


if __name__ == "__main__":
    unittest.main()
