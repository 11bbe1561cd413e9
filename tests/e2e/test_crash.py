"""kill -9 of logcollector and of analysisd under load: no line is lost; logcollector repeats none, analysisd at most the
frames in flight."""
import os
import re
import time
import unittest
from collections import Counter

from harness import Installation, local_configuration, needs_root, wait_for

KILLS = 20
LINES_PER_KILL = 8000

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
        """Returns how many of the kills came while lines were on their way."""
        in_flight = 0
        for i in range(KILLS):
            self.append(LINES_PER_KILL)
            size = self.alerts_size()
            # Once writing has begun the rest is in flight; another moment each time.
            wait_for(lambda: self.alerts_size() > size, "alerts after start number %d" % i, pause=0)
            time.sleep(0.0005 * i)
            self.ospatrol.kill(daemon)
            if self.written - sum(self.seen().values()) >= 1000:
                in_flight += 1
            result = self.ospatrol.run_daemon(daemon)
            self.assertEqual(result.returncode, 0, result.stderr)
        wait_for(lambda: len(self.seen()) >= self.written, "all %d lines" % self.written)
        return in_flight

    def alerts_size(self):
        try:
            return os.stat(self.ospatrol.path("logs/alerts/alerts.log")).st_size
        except FileNotFoundError:
            return 0

    def check(self, daemon, allowed):
        self.ospatrol.start()
        in_flight = self.kill_repeatedly(daemon)
        self.ospatrol.control("stop")  # everything is written
        seen = self.seen()
        lost = [n for n in range(1, self.written + 1) if n not in seen]
        repeated = sum(seen.values()) - len(seen)
        print("%s: %d kills (%d with at least 1,000 lines in flight), %d lines, %d lost, %d repeated"
              % (daemon, KILLS, in_flight, self.written, len(lost), repeated))
        self.assertEqual(lost, [])
        self.assertLessEqual(repeated, allowed)
        self.assertGreater(in_flight, KILLS // 2)
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
        # Eight unanswered frames of at most 128 KiB, about 60 bytes an event, for each kill.
        self.check("ospatrol-analysisd", allowed=KILLS * 8 * 128 * 1024 // 60)


if __name__ == "__main__":
    unittest.main()
