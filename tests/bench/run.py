#!/usr/bin/python3
"""Measures analysisd: the whole table of docs/performance.md, in one command, as root.

  run.py --input LOG [--label NAME] [--tree DIR] [--starter COMMIT] [--only REGEX] [--repeat 5] [--events N] [--work DIR]

Lays out a ruleset of 1,300 rules and 340 decoders (make_ruleset.py), installs analysisd over it in a temporary prefix and
runs each case `--repeat` times with analysisd_bench, the yardstick before and after each run. Raw output of a case, with
command, commit and yardstick, goes to docs/performance/LABEL-CASE.txt; the table to standard output and, where
docs/performance.md has a place for it (<!-- LABEL --> ... <!-- end of LABEL -->), there. A case whose events alert by less
than 40 % does not count and says so. With --only, rows of the other cases stay as they are.

Units are CPU time over the yardstick of the same minute: they hold on a busy machine. Events per second are wall-clock:
they are lower bounds there.
"""
import argparse
import datetime
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUEUE_LENGTH = "/proc/sys/net/unix/max_dgram_qlen"
OUT = os.path.join(SOURCE, "docs/performance")
LEAST_ALERTS = 0.40


class Case:
    """One line of the table: how analysisd_bench is called, what is looked at, the goal."""

    def __init__(self, name, text, mode, options, goals, times=1, queue_length=10, events=None):
        self.name, self.text, self.mode, self.options, self.goals = name, text, mode, options, goals
        self.times, self.queue_length, self.events = times, queue_length, events


ONE = ["--cpus", "0", "--sender-cpus", "1"]
TWO = ["--cpus", "0,1"]
UNITS, RATE = "units_per_event", "events_per_s"

CASES = [
    Case("engine", "engine in-process, decode + judge, one thread", "engine", [], {UNITS: ("<=", 0.15)}),
    Case("engine-times-10", "the same with 10 times the rules, none of which apply", "engine", [],
         {UNITS: ("<=15% more", None)}, times=10),
    Case("engine-decode", "engine, decode alone", "engine", ["--profile-phase", "decode"], {UNITS: None}),
    Case("engine-judge", "engine, judge alone", "engine", ["--profile-phase", "judge"], {UNITS: None}),
    Case("engine-threads-2", "engine, two decode threads beside the judge", "engine", ["--threads", "2"],
         {UNITS: None, RATE: None}),
    Case("stream-one-core", "batch socket, one core, frames as logcollector sends them", "daemon", [*ONE, "--batch", "0"],
         {UNITS: ("<=", 0.25), RATE: None, "peak_rss_kib": ("<=", 80 * 1024), "rss_started_kib": ("<=", 32 * 1024),
          "start_to_first_alert_ms": ("<=", 100)}),
    Case("stream-one-core-64", "batch socket, one core, frames of 64 events", "daemon", [*ONE, "--batch", "64"],
         {UNITS: ("<=", 0.25), RATE: None}),
    Case("stream-one-core-2M", "batch socket, one core, 2,000,000 events", "daemon", [*ONE, "--batch", "0"],
         {UNITS: ("<=", 0.25), RATE: None, "peak_rss_kib": ("<=", 80 * 1024)}, events=2_000_000),
    Case("stream-two-cores", "batch socket, two cores", "daemon", [*TWO, "--batch", "0"],
         {RATE: (">=", 400_000), UNITS: None}),
    Case("stream-two-cores-64", "batch socket, two cores, four connections with frames of 64 events", "daemon",
         [*TWO, "--batch", "64", "--connections", "4"], {RATE: (">=", 400_000), UNITS: None}),
    Case("stream-two-cores-2M", "batch socket, two cores, 2,000,000 events", "daemon", [*TWO, "--batch", "0"],
         {RATE: (">=", 400_000), UNITS: None}, events=2_000_000),
    Case("queue-one-core", "datagram queue of 10, one core", "daemon", [*ONE, "--socket", "queue"],
         {UNITS: ("<=", 0.5), RATE: None}),
    Case("queue-one-core-512", "datagram queue of 512, one core", "daemon", [*ONE, "--socket", "queue"],
         {UNITS: ("<=", 0.5), RATE: None}, queue_length=512),
    Case("queue-two-cores", "datagram queue of 10, two cores", "daemon", [*TWO, "--socket", "queue"],
         {RATE: (">=", 120_000), UNITS: None}),
    Case("queue-two-cores-512", "datagram queue of 512, two cores", "daemon", [*TWO, "--socket", "queue"],
         {RATE: (">=", 250_000), UNITS: None}, queue_length=512),
    Case("queue-two-cores-512-2M", "datagram queue of 512, two cores, 2,000,000 events", "daemon",
         [*TWO, "--socket", "queue"], {RATE: (">=", 250_000), UNITS: None}, queue_length=512, events=2_000_000),
]

NAMES = {UNITS: ("units/event", 1, "%.3f"), RATE: ("events/s", 1, "%.0f"), "peak_rss_kib": ("MiB peak", 1024, "%.1f"),
         "rss_started_kib": ("MiB after start", 1024, "%.1f"),
         "start_to_first_alert_ms": ("ms to the first alert", 1, "%.0f")}


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(tree):
    name = output_of("git", "-C", tree, "log", "-1", "--format=%h %s")
    dirty = output_of("git", "-C", tree, "status", "--porcelain", "-uno", "--", "src", "etc", "packaging")
    return name + (" (with changes that are not committed)" if dirty else "")


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    return "%d processors, %s, Linux %s" % (os.cpu_count(), model.group(1) if model else "?", os.uname().release)


def program_of(tree):
    program = os.path.join(tree, "build/release/tests/bench/analysisd_bench")
    if not os.path.exists(program):
        sys.exit("build it first: ninja -C %s/build/release programs analysisd_bench" % tree)
    return program


def install(tree, prefix):
    """analysisd of `tree` in a new prefix, whose logs and state benchmarks may empty."""
    subprocess.run([os.path.join(tree, "packaging/install.sh"), "--prefix", prefix, "--kind", "local",
                    "--build", os.path.join(tree, "build/release"), "--no-system"], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(prefix, "benchmark-prefix"), "w", encoding="utf-8"):
        pass


def make_ruleset(path, shipped=SOURCE, times=1):
    """Gives how large it is."""
    maker = os.path.join(SOURCE, "tests/bench/make_ruleset.py")
    return output_of(maker, path, "--shipped", shipped, "--times", str(times)).split(": ", 1)[1]


def rules_of(starter, work):
    """The tree whose rules ship: this one, or what `starter`, a commit of it, had."""
    if not starter:
        return SOURCE
    folder = os.path.join(work, "starter")
    os.mkdir(folder)
    archive = subprocess.run(["git", "-C", SOURCE, "archive", starter, "etc", "rules", "decoders", "tests/data"],
                             check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    return folder


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.program = program_of(options.tree)
        self.home = os.path.join(work, "home")
        self.rules = {1: self.home, 10: os.path.join(work, "times10")}
        install(options.tree, self.home)
        shipped = rules_of(options.starter, work)
        self.rulesets = {times: make_ruleset(path, shipped, times) for times, path in self.rules.items()}

    def run(self, case):
        """All runs of a case, as dictionaries."""
        with open(QUEUE_LENGTH, "w", encoding="utf-8") as f:
            f.write(str(case.queue_length))
        events = min(case.events or self.options.events, self.options.most_events)
        command = [self.program, case.mode, "--prefix", self.rules[case.times], "--input", self.options.input,
                   "--events", str(events), *case.options]
        runs, lines = [], []
        for _ in range(self.options.repeat):
            done = subprocess.run(command, capture_output=True, text=True)
            if not done.stdout.startswith("{"):
                sys.exit("run.py: %s\n%s%s" % (" ".join(command), done.stdout, done.stderr))
            lines.append(done.stdout.strip() + done.stderr)
            runs.append(json.loads(done.stdout))
            print("  " + self.summary(runs[-1]), file=sys.stderr, flush=True)
        self.write(case, command, runs, lines)
        return runs

    @staticmethod
    def summary(run):
        return ", ".join("%s %s" % (key, run[key]) for key in (
            UNITS, "cpu_us_per_event", "yardstick_us", RATE, "alerts_share", "complete") if key in run)

    def write(self, case, command, runs, lines):
        shown = " ".join(os.path.basename(c) if c == self.program else c for c in command)
        shown = shown.replace(self.rules[case.times], "PREFIX").replace(self.options.input, "mixed.log")
        text = ["# %s" % case.text, "command: %s" % shown, "commit: %s" % commit(self.options.tree), "machine: %s" % machine(),
                "ruleset: %s" % self.rulesets[case.times], "net.unix.max_dgram_qlen: %d" % case.queue_length,
                "when: %s, load %.1f, nice %d" % (datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
                                         os.getloadavg()[0], os.nice(0)),
                "", *lines, ""]
        for key in ("yardstick_us", UNITS, "cpu_us_per_event", RATE, "events_per_cpu_s", "alerts_share", "peak_rss_kib",
                    "rss_started_kib", "start_to_first_alert_ms", "start_cpu_ms"):
            values = [run[key] for run in runs if key in run]
            if values:
                text.append("%-24s median %s (%s - %s)" % (key, statistics.median(values), min(values), max(values)))
        os.makedirs(OUT, exist_ok=True)
        with open(os.path.join(OUT, "%s-%s.txt" % (self.options.label, case.name)), "w", encoding="utf-8") as f:
            f.write("\n".join(text) + "\n")


def figure(key, runs):
    name, divisor, form = NAMES[key]
    values = [run[key] / divisor for run in runs]
    return "%s (%s-%s) %s" % (form % statistics.median(values), form % min(values), form % max(values), name)


def goal_text(key, goal):
    if goal is None:
        return ""
    name, divisor, form = NAMES[key]
    relation, value = goal
    return "%s %s" % (relation, name) if value is None else "%s %s %s" % (
        relation, "%g" % value if divisor == 1 else form % (value / divisor), name)


def verdict(key, goal, runs, base):
    if goal is None:
        return ""
    median = statistics.median(run[key] for run in runs)
    relation, value = goal
    if value is None:  # compared with the case before
        if base is None:
            return ""
        more = median / statistics.median(run[key] for run in base) - 1
        return "%s (%+.0f %%)" % ("yes" if more <= 0.15 else "no", more * 100)
    return "yes" if (median <= value if relation == "<=" else median >= value) else "no"


def table(results, label):
    lines = ["| case | seen: median (least-most) | goal | reached | events that alert | raw |", "|---|---|---|---|---|---|"]
    base = next((runs for case, runs in results if case.name == "engine"), None)
    for case, runs in results:
        share = min(run["alerts_share"] for run in runs)
        counts = share >= LEAST_ALERTS
        for index, (key, goal) in enumerate(case.goals.items()):
            first = index == 0
            lines.append("| %s | %s | %s | %s | %s | %s |" % (
                case.text if first else "", figure(key, runs), goal_text(key, goal),
                verdict(key, goal, runs, base) if counts else "does not count",
                "%.0f %%" % (share * 100) if first else "",
                "[%s](performance/%s-%s.txt)" % (case.name, label, case.name) if first else ""))
    return "\n".join(lines) + "\n"


def earlier_runs(label, case):
    """What stands in the raw output of a case that is not run this time."""
    try:
        with open(os.path.join(OUT, "%s-%s.txt" % (label, case.name)), encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.startswith("{")]
    except FileNotFoundError:
        return []


def put_into_document(label, text):
    path = os.path.join(SOURCE, "docs/performance.md")
    with open(path, encoding="utf-8") as f:
        document = f.read()
    place = re.compile("(<!-- %s -->\n).*?(<!-- end of %s -->)" % (re.escape(label), re.escape(label)), flags=re.S)
    with open(path, "w", encoding="utf-8") as f:
        f.write(place.sub(lambda m: m.group(1) + "\n" + text + "\n" + m.group(2), document))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label", default="now")
    parser.add_argument("--tree", default=SOURCE, help="what is measured: a source tree with build/release; the rules are "
                        "always those of the tree that run.py lies in")
    parser.add_argument("--input", required=True, help="the log whose lines are sent: mixed.log")
    parser.add_argument("--starter", default="", help="the rules that ship, of this commit instead: filled up to 1,300, "
                        "so that figures of different days are about the same rules")
    parser.add_argument("--only", default="", help="cases whose name matches")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--most-events", type=int, default=2_000_000, help="cuts the long cases, too: a trial")
    parser.add_argument("--work", default=tempfile.gettempdir(), help="where the temporary prefix is made")
    options = parser.parse_args()
    options.tree = os.path.abspath(options.tree)
    if os.getuid() != 0:
        sys.exit("run.py: must be root: installs a prefix, sets net.unix.max_dgram_qlen")
    program_of(options.tree)

    work = tempfile.mkdtemp(prefix="ospatrol-bench-", dir=options.work)
    os.chmod(work, 0o755)  # the service users must reach it
    with open(QUEUE_LENGTH, encoding="utf-8") as f:
        queue_length = f.read()
    ran = {}
    try:
        bench = Bench(options, work)
        for case in CASES:
            if re.search(options.only, case.name):
                print(case.text, file=sys.stderr, flush=True)
                ran[case.name] = bench.run(case)
    finally:
        with open(QUEUE_LENGTH, "w", encoding="utf-8") as f:
            f.write(queue_length)
        shutil.rmtree(work, ignore_errors=True)
    results = [(case, ran.get(case.name) or earlier_runs(options.label, case)) for case in CASES]
    results = [(case, runs) for case, runs in results if runs]
    older = "" if len(ran) == len(results) else " Rows that were not measured with it are older: their raw output names the commit."
    text = "Commit %s; %s; %s.%s\n\n%s" % (commit(options.tree), machine(), bench.rulesets[1], older,
                                          table(results, options.label))
    print(text)
    put_into_document(options.label, text)


if __name__ == "__main__":
    main()
