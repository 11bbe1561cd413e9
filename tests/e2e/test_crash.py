"""kill -9 of logcollector and of analysisd under load: no line is lost; logcollector repeats none, analysisd at most the
frames in flight. A kill counts when at least IN_FLIGHT lines were on their way."""
import os
import time
import unittest
from collections import Counter

from harness import NumberedLines, needs_root, wait_for

KILLS = {"ospatrol-logcollector": 20, "ospatrol-analysisd": 50}
# So many that neither has passed on all of them by the time of the kill; on a machine where that is not enough
# (fast, or the test itself waits for a processor) they are doubled until it is.
LINES_PER_KILL = {"ospatrol-logcollector": 25000, "ospatrol-analysisd": 3000}
MOST_LINES_PER_KILL = 400000
IN_FLIGHT = 1000
DELAYS = 5  # moments of the kill, half a millisecond apart, in turn

# Eight unanswered frames of 128 KiB, lines of at least 90 bytes with location and length.
EVENTS_OF_FRAMES_IN_FLIGHT = 8 * 128 * 1024 // 90


@needs_root
class Crash(NumberedLines):
    def setUp(self):
        super().setUp()
        self.read_up_to = 0
        self.counts = Counter()

    def seen(self):
        """How often each number stands in alerts.log; reads only what is new since the last call."""
        with open(self.ospatrol.path("logs/alerts/alerts.log"), encoding="utf-8") as f:
            f.seek(self.read_up_to)
            text = f.read()
        complete = text.rfind("\n") + 1
        self.read_up_to += len(text[:complete].encode())
        self.counts.update(self.numbers_in(text[:complete]))
        return self.counts

    def kill_repeatedly(self, daemon):
        """Returns (kills, those that count, those of them that cut a record, that came between the files of a group)."""
        cut = between = tried = counted = 0
        lines = LINES_PER_KILL[daemon]
        # Those of analysisd have shown nothing as long as none has hit a write.
        while counted < KILLS[daemon] or (daemon == "ospatrol-analysisd" and cut + between == 0):
            self.assertLess(tried, 20 * KILLS[daemon], "too few kills with %d lines on their way, or that hit a write"
                            % IN_FLIGHT)
            size, pid = self.alerts_size(), self.ospatrol.pid(daemon)
            self.append(lines)
            # Once writing has begun the rest is in flight; another moment each time.
            wait_for(lambda: self.alerts_size() > size, "alerts after start number %d" % tried, pause=0)
            time.sleep(0.0005 * (tried % DELAYS))
            self.ospatrol.kill(daemon, pid=pid)
            tried += 1
            text, json_lines = self.tail("alerts.log"), self.tail("alerts.json")
            if self.written - len(self.seen()) >= IN_FLIGHT:
                counted += 1
                if not text.endswith("\n\n") or not json_lines.endswith("\n"):
                    cut += 1
                elif self.last_number(text) != self.last_number(json_lines):
                    between += 1
            else:
                lines = min(2 * lines, MOST_LINES_PER_KILL)
            result = self.ospatrol.run_daemon(daemon)
            self.assertEqual(result.returncode, 0, result.stderr)
        wait_for(lambda: len(self.seen()) >= self.written, "all %d lines" % self.written)
        return tried, counted, cut, between

    def tail(self, name):
        with open(self.ospatrol.path("logs/alerts/" + name), "rb") as f:
            f.seek(max(0, os.fstat(f.fileno()).st_size - 4096))
            return f.read().decode("utf-8", "replace")

    def last_number(self, text):
        return self.numbers_in(text)[-1:]

    def alerts_size(self):
        try:
            return os.stat(self.ospatrol.path("logs/alerts/alerts.log")).st_size
        except FileNotFoundError:
            return 0

    def check(self, daemon, allowed_per_kill):
        self.ospatrol.start()
        tried, kills, cut, between = self.kill_repeatedly(daemon)
        self.ospatrol.control("stop")  # everything is written
        seen = self.seen()
        lost = [n for n in range(1, self.written + 1) if n not in seen]
        repeated = sum(seen.values()) - len(seen)
        print("%s: %d kills with at least %d lines in flight; %d lines sent, %d lost, %d repeated"
              % (daemon, kills, IN_FLIGHT, self.written, len(lost), repeated))
        self.assertEqual(lost, [])
        self.assertLessEqual(repeated, tried * allowed_per_kill)
        if daemon == "ospatrol-analysisd":
            print("%d of the kills hit a write: %d cut a record, %d came between two files of a group"
                  % (cut + between, cut, between))
        self.check_records(seen)

    def test_logcollector_loses_and_repeats_nothing(self):
        self.check("ospatrol-logcollector", allowed_per_kill=0)

    def test_analysisd_loses_nothing_and_repeats_at_most_the_frames_in_flight(self):
        self.check("ospatrol-analysisd", allowed_per_kill=EVENTS_OF_FRAMES_IN_FLIGHT)


if __name__ == "__main__":
    unittest.main()
