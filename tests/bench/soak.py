#!/usr/bin/python3
"""Lets analysisd work for a long time at half of what it can, and looks at its memory each minute. As root.

  soak.py --input LOG [--minutes 60] [--rate half|N] [--tree DIR] [--starter COMMIT] [--label NAME] [--cpus 0,1] [--work DIR]

Installs analysisd over a ruleset of full size (make_ruleset.py) in a temporary prefix, measures its highest rate by the
batch socket, then feeds it at half of that. A line a minute: RSS, events sent, answered and received, alerts, growth of
the log files. What has been counted of the alert files is given back to the disk at once by punching holes
(FALLOC_FL_PUNCH_HOLE): sizes go on growing and analysisd, which appends, sees nothing of it, but the disk holds a few
seconds. The last lines say whether RSS was flat after five minutes and whether all events and alerts are there.
Everything is written to docs/performance/LABEL-soak.txt, too. Exit: 0 flat and complete, 1 not.
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import run

SETTLED = 5  # minutes
FLAT = 0.02  # means of the first and the last third behind those differ by less


class GrowingFile:
    """Counts records of a log file as it grows, and punches holes where it has read."""

    PIECE = 8 << 20

    def __init__(self, path, beginning):
        self.path, self.mark = path, b"\n" + beginning
        self.records = self.bytes = 0
        self.file = None

    def read(self):
        if self.file is None and not self.open():
            return
        self.read_rest()
        try:
            renewed = os.stat(self.path).st_ino != os.fstat(self.file.fileno()).st_ino
        except FileNotFoundError:
            return
        if renewed:  # another day
            self.read_rest()
            self.file.close()
            self.open()
            self.read_rest()

    def open(self):
        try:
            self.file = open(self.path, "rb", buffering=0)
        except FileNotFoundError:
            return False
        self.position, self.carry = 0, b"\n"
        return True

    def read_rest(self):
        while True:
            piece = self.file.read(self.PIECE)
            if not piece:
                break
            text = self.carry + piece
            self.records += text.count(self.mark)
            self.carry = text[-(len(self.mark) - 1):]
            self.bytes += len(piece)
            self.position += len(piece)
        whole_pages = self.position // 4096 * 4096
        if whole_pages:
            subprocess.run(["fallocate", "--punch-hole", "--offset", "0", "--length", str(whole_pages), self.path],
                           check=False, stderr=subprocess.DEVNULL)


def status_kib(pid, key):
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key + ":"))


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def counters(path):
    """The numbers of ospatrol-analysisd.state."""
    values = {}
    try:
        with open(path, encoding="utf-8") as f:
            for line in f:
                name, separator, value = line.strip().partition("=")
                if separator and value.strip("'").isdigit():
                    values[name] = int(value.strip("'"))
    except FileNotFoundError:
        pass
    return values


def disk_use(folder):
    return int(subprocess.run(["du", "-sk", folder], capture_output=True, text=True).stdout.split()[0])


class Soak:
    def __init__(self, options, work):
        self.options = options
        self.program = run.program_of(options.tree)
        self.home = os.path.join(work, "home")
        run.install(options.tree, self.home)
        self.ruleset = run.make_ruleset(self.home, run.rules_of(options.starter, work))
        with open(os.path.join(self.home, "etc/local_internal_options.conf"), "a", encoding="utf-8") as f:
            f.write("analysisd.state_interval=2\n")
        self.state = os.path.join(self.home, "var/run/ospatrol-analysisd.state")
        self.lines = []
        self.samples = []  # (minute, RSS in KiB)
        self.text = GrowingFile(os.path.join(self.home, "logs/alerts/alerts.log"), b"** Alert ")
        self.json = GrowingFile(os.path.join(self.home, "logs/alerts/alerts.json"), b"{")

    def say(self, line):
        self.lines.append(line)
        print(line, flush=True)

    def command(self, mode, *more):
        return [self.program, mode, "--prefix", self.home, "--input", self.options.input, "--batch", "0", *more]

    def highest_rate(self):
        cpus = ["--cpus", self.options.cpus] if self.options.cpus else []
        done = subprocess.run(self.command("daemon", "--no-yardstick", "--no-expect", "--events", "400000", *cpus),
                              capture_output=True, text=True)
        if not done.stdout.startswith("{"):
            sys.exit("soak.py: %s%s" % (done.stdout, done.stderr))
        return json.loads(done.stdout)["events_per_s"]

    def start(self):
        pin = ["taskset", "-c", self.options.cpus] if self.options.cpus else []
        self.daemon = subprocess.Popen([*pin, os.path.join(self.home, "bin/ospatrol-analysisd"), "-f", "-D", self.home],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not os.path.exists(self.state):  # written once the sockets are there
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                sys.exit("soak.py: analysisd did not start; see logs/ospatrol.log")
            time.sleep(0.01)

    def count(self):
        self.text.read()
        self.json.read()

    def feed(self, rate):
        seconds = self.options.minutes * 60
        # The feeder speaks every second, the table every minute.
        feeder = subprocess.Popen(self.command("feed", "--rate", str(int(rate)), "--seconds", str(seconds), "--interval", "1",
                                               "--events", "0"), stdout=subprocess.PIPE, text=True)
        began, cpu, minute, before = time.monotonic(), cpu_seconds(self.daemon.pid), 0, (0, 0)
        seen = {"sent": 0, "taken": 0}
        self.say("%6s %9s %9s %12s %12s %12s %11s %11s %9s %9s %6s" % (
            "minute", "RSS_KiB", "peak_KiB", "sent", "answered", "received", "alerts.log", "alerts.json", "log_MB/m",
            "disk_KiB", "cores"))
        for line in feeder.stdout:
            seen = json.loads(line)
            self.count()
            if time.monotonic() - began < (minute + 1) * 60:
                continue
            minute += 1
            rss = status_kib(self.daemon.pid, "VmRSS")
            self.samples.append((minute, rss))
            now = (self.text.bytes + self.json.bytes, cpu_seconds(self.daemon.pid) - cpu)
            self.say("%6d %9d %9d %12d %12d %12d %11d %11d %9.0f %9d %6.2f" % (
                minute, rss, status_kib(self.daemon.pid, "VmHWM"), seen["sent"], seen["taken"],
                counters(self.state).get("events_received", 0), self.text.records, self.json.records,
                (now[0] - before[0]) / 1e6, disk_use(self.home), (now[1] - before[1]) / 60))
            before = now
        feeder.wait()
        return seen

    def finish(self, seen):
        """Counts to the end. Gives whether nothing is missing."""
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(120)
        self.count()
        at_end = counters(self.state)
        received = at_end.get("events_received", 0)
        lost = seen["sent"] - received
        written = at_end.get("alerts_written", 0)
        complete = (lost == 0 and seen["taken"] == seen["sent"] and
                    self.text.records == self.json.records == written)
        self.say("events: %d sent, %d answered, %d received, %d lost; %d dropped by the repeat filter or malformed" % (
            seen["sent"], seen["taken"], received, lost, at_end.get("events_dropped", 0)))
        self.say("alerts: %d counted by analysisd, %d in alerts.log, %d in alerts.json: %s" % (
            written, self.text.records, self.json.records, "complete" if complete else "NOT COMPLETE"))
        return complete

    def judge_memory(self):
        settled = [rss for minute, rss in self.samples if minute > SETTLED]
        if len(settled) < 3:
            self.say("RSS: too short to tell; at least %d minutes are needed" % (SETTLED + 3))
            return True
        third = len(settled) // 3
        first, last = statistics.mean(settled[:third]), statistics.mean(settled[-third:])
        flat = last <= first * (1 + FLAT)
        self.say("RSS %s after %d minutes: %.1f-%.1f MiB; first third %.1f, last third %.1f MiB (%+.1f %%)" % (
            "flat" if flat else "GROWS", SETTLED, min(settled) / 1024, max(settled) / 1024, first / 1024, last / 1024,
            (last / first - 1) * 100))
        return flat

    def run(self):
        self.say("# soak of analysisd, %d minutes" % self.options.minutes)
        self.say("commit: %s" % run.commit(self.options.tree))
        self.say("machine: %s" % run.machine())
        self.say("ruleset: %s" % self.ruleset)
        if self.options.rate == "half":
            highest = self.highest_rate()
            rate = highest / 2
            self.say("rate: %.0f events/s, half of %.0f" % (rate, highest))
        else:
            rate = float(self.options.rate)
            self.say("rate: %.0f events/s" % rate)
        for folder in ("logs/alerts", "queue/fts"):
            for name in os.listdir(os.path.join(self.home, folder)):
                path = os.path.join(self.home, folder, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        if os.path.exists(self.state):
            os.unlink(self.state)
        self.start()
        try:
            seen = self.feed(rate)
            complete = self.finish(seen)
        finally:
            if self.daemon.poll() is None:
                self.daemon.kill()
                self.daemon.wait()
        flat = self.judge_memory()
        os.makedirs(run.OUT, exist_ok=True)
        with open(os.path.join(run.OUT, "%s-soak.txt" % self.options.label), "w", encoding="utf-8") as f:
            f.write("\n".join(self.lines) + "\n")
        return 0 if complete and flat else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, help="the log whose lines are sent: mixed.log")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rate", default="half", help="events a second, or half: of what is measured first")
    parser.add_argument("--tree", default=run.SOURCE, help="source tree with build/release")
    parser.add_argument("--starter", default="", help="as in run.py")
    parser.add_argument("--label", default="now")
    parser.add_argument("--cpus", default="", help="processors of analysisd")
    parser.add_argument("--work", default=tempfile.gettempdir())
    options = parser.parse_args()
    options.tree = os.path.abspath(options.tree)
    if os.getuid() != 0:
        sys.exit("soak.py: must be root: installs a prefix")
    work = tempfile.mkdtemp(prefix="ospatrol-soak-", dir=options.work)
    os.chmod(work, 0o755)
    try:
        return Soak(options, work).run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
