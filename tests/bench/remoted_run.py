#!/usr/bin/python3
"""Measures remoted: the table of docs/performance.md about it, in one command, as root.

  remoted_run.py --input LOG [--build DIR] [--only REGEX] [--repeat 5] [--launcher COMMAND] [--work DIR]

Installs a manager in a temporary prefix and runs each case `--repeat` times with remoted_bench, which starts remoted there,
takes analysisd's place and plays the agents; the yardstick before and after each run. Raw output of a case, with command,
commit and yardstick, goes to docs/performance/remoted-CASE.txt; the table to standard output and to docs/performance.md
(<!-- remoted --> ... <!-- end of remoted -->). With --only, rows of the other cases stay as they are.

Units are CPU time of remoted over the yardstick of the same minute: they hold on a busy machine. Events per second are
wall-clock, and the agents need the same processors: lower bounds. --launcher: a command that runs its arguments when the
machine is quiet.
"""
import argparse
import datetime
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

import run as common

PORT = 21514
LABEL = "remoted"


class Case:
    """One line of the table: how remoted_bench is called, what is looked at, the goal."""

    def __init__(self, name, text, mode, options, figures):
        self.name, self.text, self.mode, self.options, self.figures = name, text, mode, options.split(), figures


RATE, UNITS, US, RSS = "events_per_s", "units_per_event", "cpu_us_per_event", "rss_kib"
# Name in the report: name in the table, divisor, format.
NAMES = {RATE: ("events/s", 1, "%.0f"), UNITS: ("units/event", 1, "%.3f"), US: ("us/event", 1, "%.2f"),
         RSS: ("MiB RSS", 1024, "%.1f"), "rss_anon_kib": ("MiB RssAnon", 1024, "%.1f"),
         "peak_rss_kib": ("MiB RSS at most", 1024, "%.1f"), "descriptors": ("descriptors", 1, "%.0f"),
         "kernel_queue_peak_kib": ("MiB in receive buffers at most", 1024, "%.2f"), "cpu_ms_per_s": ("ms CPU a second", 1, "%.2f"),
         "lost_share": ("% lost", 0.01, "%.2f"), "unsaid": ("lost events that remoted did not tell", 1, "%.0f"),
         "lost": ("false disconnects", 1, "%.0f"), "slowest_round_s": ("s until all were back", 1, "%.1f"),
         "cpu_us_per_start": ("us CPU a start", 1, "%.0f"), "cpu_us_per_connect": ("us CPU a connection", 1, "%.0f"),
         "events_per_datagram": ("events/datagram", 1, "%.1f")}
SIZE = {RSS: ("<=", 300 * 1024), "rss_anon_kib": None, "descriptors": ("<=", 64), "kernel_queue_peak_kib": None}


def sized(protocol, text, agents, seconds=15, rate=0):
    name = "%s-%s-%d" % (protocol, "100-a-second" if rate else "idle", agents)
    what = "%s, %s agents, keep-alives%s" % (text, format(agents, ","), " and 100 events/s in all" if rate else " alone")
    return Case(name, what, "keepalive", "--protocol %s --agents %d --seconds %d --rate %d" % (protocol, agents, seconds, rate),
                {"cpu_ms_per_s": None, **SIZE})


V2, AES, BLOWFISH = "version 2", "version 1 with AES", "version 1 with Blowfish"
CASES = [
    Case("v2-saturated", V2 + ", 1,000 agents, datagrams of 1,400 bytes, as fast as they are taken", "saturate",
         "--protocol v2 --agents 1000 --events 600000",
         {RATE: (">=", 200_000), UNITS: ("<=", 0.2), US: None, "events_per_datagram": None, "peak_rss_kib": None}),
    Case("v2-saturated-jumbo", V2 + ", the same with datagrams of up to 8,900 bytes", "saturate",
         "--protocol v2 --agents 1000 --events 600000 --datagram 8900", {RATE: None, UNITS: None, US: None}),
    Case("v2-saturated-analysisd", V2 + ", the same as the first with the real analysisd behind it", "saturate",
         "--protocol v2 --agents 1000 --events 300000 --analysisd", {RATE: None, UNITS: None}),
    Case("aes-saturated", AES + ", 1,000 agents, as fast as they are taken", "saturate",
         "--protocol aes --agents 1000 --events 300000", {RATE: (">=", 80_000), UNITS: None, US: None}),
    Case("blowfish-saturated", BLOWFISH + ", 1,000 agents, as fast as they are taken", "saturate",
         "--protocol blowfish --agents 1000 --events 200000", {RATE: (">=", 80_000), UNITS: None, US: None}),
    Case("aes-burst", AES + ", a burst of 100,000 packets from 1,000 agents", "burst",
         "--protocol aes --agents 1000 --events 100000",
         {"lost_share": ("<=", 0.05), "unsaid": ("<=", 0), RATE: None, "kernel_queue_peak_kib": None}),
    Case("aes-burst-one", AES + ", a burst of 100,000 packets from one of 100 agents", "burst",
         "--protocol aes --agents 100 --senders 1 --events 100000",
         {"lost_share": ("<=", 0.05), "unsaid": ("<=", 0), RATE: None, "kernel_queue_peak_kib": None}),
    Case("aes-burst-400000", AES + ", a burst of 400,000 packets, more than the buffers hold", "burst",
         "--protocol aes --agents 1000 --events 400000",
         {"lost_share": None, "unsaid": ("<=", 0), RATE: None, "kernel_queue_peak_kib": None}),
    Case("aes-storm", AES + ", all of 5,000 agents start again at once, ten times, beside a flood of events", "storm",
         "--protocol aes --agents 5000 --flood 30000", {"lost": ("<=", 0), "slowest_round_s": None, "cpu_us_per_start": None}),
    Case("v2-storm", V2 + ", all of 1,000 agents start again at once, ten times, beside a flood of events", "storm",
         "--protocol v2 --agents 1000 --flood 30000", {"lost": ("<=", 0), "slowest_round_s": None, "cpu_us_per_start": None}),
    *(sized(protocol, text, agents, rate=rate) for rate in (0, 100) for protocol, text in (("v2", V2), ("aes", AES))
      for agents in (1000, 10000, 50000)),
]


def install(build, prefix):
    subprocess.run([os.path.join(common.SOURCE, "packaging/install.sh"), "--prefix", prefix, "--kind", "server",
                    "--build", build, "--no-system"], check=True, stdout=subprocess.DEVNULL)
    path = os.path.join(prefix, "etc/ospatrol.conf")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    secure = "<connection>secure</connection>"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(secure, "%s\n    <port>%d</port>" % (secure, PORT), 1))
    with open(os.path.join(prefix, "benchmark-prefix"), "w", encoding="utf-8"):
        pass


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.home = os.path.join(work, "home")
        self.program = os.path.join(options.build, "tests/bench/remoted_bench")
        install(options.build, self.home)

    def run(self, case):
        """All runs of a case, as dictionaries; those without figures are told and left out."""
        command = [self.program, case.mode, "--prefix", self.home, "--input", self.options.input, "--port", str(PORT),
                   *case.options]
        runs, lines = [], []
        for _ in range(self.options.repeat):
            done = subprocess.run(shlex.split(self.options.launcher) + command, capture_output=True, text=True)
            if not done.stdout.startswith("{"):
                print("  no figures: %s" % (done.stderr.strip()[-300:] or "ended too early"), file=sys.stderr, flush=True)
                continue
            lines.append(done.stdout.strip() + done.stderr)
            runs.append(json.loads(done.stdout))
            if case.mode == "burst":
                runs[-1]["unsaid"] = max(0, runs[-1]["lost"] - runs[-1]["said_lost"])
            print("  " + ", ".join("%s %s" % (key, runs[-1].get(key)) for key in (*case.figures, "yardstick_us", "complete")),
                  file=sys.stderr, flush=True)
        if runs:
            self.write(case, command, runs, lines)
        return runs

    def write(self, case, command, runs, lines):
        shown = " ".join(os.path.basename(c) if c == self.program else c for c in command)
        shown = shown.replace(self.home, "PREFIX").replace(self.options.input, "mixed.log")
        text = ["# %s" % case.text, "command: %s" % shown, "commit: %s" % common.commit(common.SOURCE),
                "machine: %s" % common.machine(),
                "when: %s, load %.1f" % (datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
                                         os.getloadavg()[0]), "", *lines, ""]
        for key in dict.fromkeys((*case.figures, "yardstick_us", "cores_used", "said_lost")):
            values = [one[key] for one in runs if key in one]
            if values:
                text.append("%-24s median %s (%s - %s)" % (key, statistics.median(values), min(values), max(values)))
        os.makedirs(common.OUT, exist_ok=True)
        with open(os.path.join(common.OUT, "%s-%s.txt" % (LABEL, case.name)), "w", encoding="utf-8") as f:
            f.write("\n".join(text) + "\n")


def figure(key, runs):
    name, divisor, form = NAMES[key]
    values = [one[key] / divisor for one in runs if key in one]
    return "%s (%s-%s) %s" % (form % statistics.median(values), form % min(values), form % max(values), name)


def rows_of(case, runs):
    rows = []
    for index, (key, goal) in enumerate(case.figures.items()):
        wanted = reached = ""
        if goal:
            name, divisor, form = NAMES[key]
            median = statistics.median(one[key] for one in runs)
            wanted = "%s %s %s" % (goal[0], form % (goal[1] / divisor), name)
            reached = "yes" if (median <= goal[1] if goal[0] == "<=" else median >= goal[1]) else "no"
        link = "[%s](performance/%s-%s.txt), %d runs" % (case.name, LABEL, case.name, len(runs))
        rows.append("| %s | %s | %s | %s | %s |" % (case.text if index == 0 else "", figure(key, runs), wanted, reached,
                                                    link if index == 0 else ""))
    return rows


def earlier_rows():
    """The rows of docs/performance.md, by case."""
    with open(os.path.join(common.SOURCE, "docs/performance.md"), encoding="utf-8") as f:
        place = re.search("<!-- %s -->(.*?)<!-- end of" % LABEL, f.read(), flags=re.S)
    rows, case = {}, None
    for line in place.group(1).split("\n") if place else []:
        link = re.search(r"\[([\w-]+)\]\(performance/%s-" % LABEL, line)
        case = link.group(1) if link else case
        if case and line.startswith("|"):
            rows.setdefault(case, []).append(line)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, help="the log whose lines are sent: mixed.log")
    parser.add_argument("--build", default=os.path.join(common.SOURCE, "build/release"))
    parser.add_argument("--only", default="", help="cases whose name matches")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--launcher", default="", help="a command in front of each run")
    parser.add_argument("--work", default=tempfile.gettempdir(), help="where the temporary prefix is made")
    options = parser.parse_args()
    if os.getuid() != 0:
        sys.exit("remoted_run.py: must be root: installs a prefix")
    work = tempfile.mkdtemp(prefix="ospatrol-bench-", dir=options.work)
    os.chmod(work, 0o755)  # the service users must reach it
    rows = earlier_rows()
    try:
        bench = Bench(options, work)
        for case in CASES:
            if re.search(options.only, case.name):
                print("%s (%s)" % (case.text, case.name), file=sys.stderr, flush=True)
                runs = bench.run(case)
                if runs:
                    rows[case.name] = rows_of(case, runs)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lines = ["| case | seen: median (least-most) | goal | reached | raw |", "|---|---|---|---|---|"]
    for case in CASES:
        lines += rows.get(case.name, [])
    text = "%s.\n\n%s\n" % (common.machine(), "\n".join(lines))
    print(text)
    common.put_into_document(LABEL, text)


if __name__ == "__main__":
    main()
