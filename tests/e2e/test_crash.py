"""kill -9 of logcollector and of analysisd under load: no line is lost; logcollector repeats none, analysisd at most the
frames in flight. A kill counts when at least IN_FLIGHT lines were on their way."""
import os
import re
import time
import unittest
from collections import Counter

from harness import Installation, local_configuration, needs_root, wait_for

KILLS = {"ospatrol-logcollector": 20, "ospatrol-analysisd": 50}
# So many that neither has passed on all of them by the time of the kill.
LINES_PER_KILL = {"ospatrol-logcollector": 25000, "ospatrol-analysisd": 3000}
IN_FLIGHT = 1000
DELAYS = 10  # moments of the kill, half a millisecond apart, in turn

# Eight unanswered frames of 128 KiB, lines of at least 90 bytes with location and length.
EVENTS_OF_FRAMES_IN_FLIGHT = 8 * 128 * 1024 // 90

# Every line its own alert, with its number in it; the repeat filter never sees a line twice.
RULE = """<group name="local,">
  <rule id="100300" level="3">
    <match>crash test line </match>
    <description>numbered line</description>
  </rule>
</group>
"""

NUMBER = re.compile(r"crash test line (\d+)\b")


@needs_root
class Crash(unittest.TestCase):
    def setUp(self):
        self.ospatrol = Installation()
        self.addCleanup(self.ospatrol.close)
        self.log_file = os.path.join(self.ospatrol.root, "app.log")
        open(self.log_file, "w").close()
        self.ospatrol.configure(local_configuration(self.log_file))
        self.ospatrol.write("rules/local_rules.xml", RULE)
        self.written = 0
        self.read_up_to = 0
        self.counts = Counter()

    def append(self, count):
        lines = []
        for _ in range(count):
            self.written += 1
            lines.append("Nov 22 10:00:00 gw1 app[1]: crash test line %d\n" % self.written)
        with open(self.log_file, "a") as f:
            f.write("".join(lines))

    def seen(self):
        """How often each number stands in alerts.log; reads only what is new since the last call."""
        with open(self.ospatrol.path("logs/alerts/alerts.log"), encoding="utf-8") as f:
            f.seek(self.read_up_to)
            text = f.read()
        complete = text.rfind("\n") + 1
        self.read_up_to += len(text[:complete].encode())
        self.counts.update(int(n) for n in NUMBER.findall(text[:complete]))
        return self.counts

    def kill_repeatedly(self, daemon):
        """Returns how many of the kills that count hit a write: (cut a record, came between the files of a group)."""
        cut = between = tried = counted = 0
        while counted < KILLS[daemon]:
            self.assertLess(tried, 3 * KILLS[daemon], "too few kills with %d lines on their way" % IN_FLIGHT)
            self.append(LINES_PER_KILL[daemon])
            size = self.alerts_size()
            # Once writing has begun the rest is in flight; another moment each time.
            wait_for(lambda: self.alerts_size() > size, "alerts after start number %d" % tried, pause=0)
            time.sleep(0.0005 * (tried % DELAYS))
            self.ospatrol.kill(daemon)
            tried += 1
            text, json_lines = self.tail("alerts.log"), self.tail("alerts.json")
            if self.written - len(self.seen()) >= IN_FLIGHT:
                counted += 1
                if not text.endswith("\n\n") or not json_lines.endswith("\n"):
                    cut += 1
                elif self.last_number(text) != self.last_number(json_lines):
                    between += 1
            result = self.ospatrol.run_daemon(daemon)
            self.assertEqual(result.returncode, 0, result.stderr)
        wait_for(lambda: len(self.seen()) >= self.written, "all %d lines" % self.written)
        return cut, between

    def tail(self, name):
        with open(self.ospatrol.path("logs/alerts/" + name), "rb") as f:
            f.seek(max(0, os.fstat(f.fileno()).st_size - 4096))
            return f.read().decode("utf-8", "replace")

    @staticmethod
    def last_number(text):
        numbers = NUMBER.findall(text)
        return numbers[-1] if numbers else None

    def alerts_size(self):
        try:
            return os.stat(self.ospatrol.path("logs/alerts/alerts.log")).st_size
        except FileNotFoundError:
            return 0

    def check(self, daemon, allowed):
        self.ospatrol.start()
        cut, between = self.kill_repeatedly(daemon)
        self.ospatrol.control("stop")  # everything is written
        seen = self.seen()
        lost = [n for n in range(1, self.written + 1) if n not in seen]
        repeated = sum(seen.values()) - len(seen)
        print("%s: %d kills with at least %d lines in flight; %d lines sent, %d lost, %d repeated"
              % (daemon, KILLS[daemon], IN_FLIGHT, self.written, len(lost), repeated))
        self.assertEqual(lost, [])
        self.assertLessEqual(repeated, allowed)
        if daemon == "ospatrol-analysisd":
            print("%d of the kills hit a write: %d cut a record, %d came between two files of a group"
                  % (cut + between, cut, between))
            # Otherwise this has shown nothing.
            self.assertGreater(cut + between, 0, "no kill hit a write")
        # No torn record in either file, no id twice; alerts.json misses nothing that alerts.log has.
        records = self.ospatrol.alerts_text().split("** Alert ")[1:]
        self.assertEqual([record for record in records if not record.endswith("\n\n")], [])
        ids = [record.split(":", 1)[0] for record in records]
        self.assertEqual(len(ids), len(set(ids)), "an alert id was used twice")
        in_json = Counter(int(n) for a in self.ospatrol.alerts() for n in NUMBER.findall(a["full_log"]))
        self.assertEqual(set(in_json), set(seen))

    def test_logcollector_loses_and_repeats_nothing(self):
        self.check("ospatrol-logcollector", allowed=0)

    def test_analysisd_loses_nothing_and_repeats_at_most_the_frames_in_flight(self):
        self.check("ospatrol-analysisd", allowed=KILLS["ospatrol-analysisd"] * EVENTS_OF_FRAMES_IN_FLIGHT)


if __name__ == "__main__":
    unittest.main()
