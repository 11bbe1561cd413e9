"""The clock is set back while the daemons run, by a day and by three, and is put right again; in between analysisd is
killed. Alerts go on, in the file of the right day, no line is lost or told twice, no alert id comes twice, and what is
done every second goes on being done: intervals do not hang on the wall clock."""
import datetime
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import time
import unittest
from collections import Counter

from harness import Installation, local_configuration, needs_root, read, unsanitized, wait_for

DAY = 86400
LINES = 2000
NUMBER = re.compile(r"clock test line (\d+)\b")

RULE = """<group name="local,">
  <rule id="100300" level="3">
    <match>clock test line </match>
    <description>numbered line</description>
  </rule>
</group>
"""


@needs_root
@unsanitized
@unittest.skipUnless(shutil.which("cc"), "no C compiler")
class Clock(unittest.TestCase):
    def setUp(self):
        self.ospatrol = Installation()
        self.addCleanup(self.ospatrol.close)
        self.log_file = os.path.join(self.ospatrol.root, "app.log")
        open(self.log_file, "w").close()
        self.ospatrol.configure(local_configuration(self.log_file))
        self.ospatrol.write("rules/local_rules.xml", RULE)
        self.ospatrol.write("etc/local_internal_options.conf", "analysisd.state_interval=1\n", mode="a")
        self.written = 0
        self.offset_file = os.path.join(self.ospatrol.root, "offset")
        self.set_clock(0)
        library = os.path.join(self.ospatrol.root, "clock_offset.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock_offset.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
        self.environment = {**os.environ, "LD_PRELOAD": library, "CLOCK_OFFSET_FILE": self.offset_file}

    def set_clock(self, offset):
        self.offset = offset
        with open(self.offset_file, "r+b" if os.path.exists(self.offset_file) else "wb") as f:
            f.write(struct.pack("q", offset))

    def start(self, program, *arguments):
        done = self.ospatrol.run("bin/" + program, *arguments, env=self.environment)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.ospatrol.log())

    def alert_file(self, days, suffix="log"):
        """Of the day that lies `days` before today."""
        day = datetime.date.today() - datetime.timedelta(days=days)
        return self.ospatrol.path(day.strftime("logs/alerts/%Y/%b/ospatrol-alerts-%d.") + suffix)

    def text(self, suffix="log"):
        files = sorted(glob.glob(self.ospatrol.path("logs/alerts/2*/*/ospatrol-alerts-*." + suffix)))
        return "".join(read(file) for file in files)

    def numbers(self, text):
        return Counter(int(n) for n in NUMBER.findall(text))

    def log_and_check(self, file):
        """LINES more; their alerts stand in `file`, with the time that the clock says."""
        first, began = self.written + 1, time.time()
        with open(self.log_file, "a") as f:
            for _ in range(LINES):
                self.written += 1
                f.write("Nov 22 10:00:00 gw1 app[1]: clock test line %d\n" % self.written)
        wait_for(lambda: len(self.numbers(self.text())) == self.written, "all %d lines" % self.written)
        self.assertEqual(sorted(n for n in self.numbers(read(file)) if n >= first),
                         list(range(first, self.written + 1)))
        newest = wait_for(lambda: self.newest(file[:-len("log")] + "json"), "the last line in JSON")
        told = newest["TimeStamp"] / 1000 - self.offset
        self.assertTrue(began - 1 <= told <= time.time() + 1, "%s tells of %f" % (newest, told))
        self.assertTrue(os.path.samefile(file, self.ospatrol.path("logs/alerts/alerts.log")))

    def newest(self, file):
        """The alert of the last line that was written, if it is there."""
        alerts = [json.loads(line) for line in read(file).split("\n")[:-1]]
        return next((a for a in reversed(alerts) if self.numbers(a["full_log"])[self.written]), None)

    def check_every_second_goes_on(self):
        state = self.ospatrol.path("var/run/ospatrol-analysisd.state")
        for _ in range(3):
            before = os.stat(state).st_mtime_ns, os.stat(state).st_ino
            wait_for(lambda: (os.stat(state).st_mtime_ns, os.stat(state).st_ino) != before, "the next state file")

    def test_set_back_by_a_day_and_more(self):
        self.start("ospatrol-control", "start")
        pid = self.ospatrol.pid("ospatrol-analysisd")
        self.log_and_check(self.alert_file(0))

        # Up to a day, the file stays: a clock that is corrected around midnight must not tear days apart.
        self.set_clock(-DAY)
        self.log_and_check(self.alert_file(0))
        self.check_every_second_goes_on()

        self.set_clock(-3 * DAY)
        self.log_and_check(self.alert_file(3))
        self.check_every_second_goes_on()
        self.assertEqual(self.ospatrol.pid("ospatrol-analysisd"), pid)

        self.ospatrol.kill("ospatrol-analysisd")
        self.start("ospatrol-analysisd", "-D", self.ospatrol.prefix)
        self.log_and_check(self.alert_file(3))

        self.set_clock(-DAY)
        self.log_and_check(self.alert_file(1))
        self.set_clock(0)
        self.log_and_check(self.alert_file(0))
        self.check_every_second_goes_on()

        seen = self.numbers(self.text())
        self.assertEqual(len(seen), self.written)
        self.assertEqual(sum(seen.values()), self.written)
        self.assertEqual(self.numbers(self.text("json")), seen)
        ids = re.findall(r"^\*\* Alert ([0-9.]+):", self.text(), re.M)
        self.assertEqual(len(ids), len(set(ids)))
        self.assertGreater(len(ids), self.written)
        print("clock: %d events sent over 6 settings and a kill, 0 lost, 0 repeated" % self.written)


if __name__ == "__main__":
    unittest.main()
