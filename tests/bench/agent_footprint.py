#!/usr/bin/python3
"""Measures an idle agent: memory and CPU of agentd, logcollector and execd while nothing happens. As root.

  agent_footprint.py [--build DIR] [--seconds 60] [--settle 20] [--logs N] [--write] [--work DIR]

Installs a manager and an agent in temporary prefixes, lets the agent connect over loopback, waits until it has settled, and
watches it. Prints a table by daemon and one by shared library; with --write they go to docs/performance.md
(<!-- footprint --> ... <!-- end of footprint -->) and docs/performance/agent-footprint.txt.

RssAnon is memory of the process alone. PSS shares out pages among all processes of the machine that map them, the manager's
included; "each page once" counts every page that the daemons of the agent have, as on a machine where nothing else has them.
"""
import argparse
import datetime
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import run as common

PORT = 21515
PAGE = os.sysconf("SC_PAGE_SIZE")
DAEMONS = ["agentd", "logcollector", "execd"]
GOAL_ANON_KIB, GOAL_PSS_KIB, GOAL_CPU_MS = 3 * 1024, 24 * 1024, 5
LABEL = "footprint"


def install(build, prefix, kind, *more):
    subprocess.run([os.path.join(common.SOURCE, "packaging/install.sh"), "--prefix", prefix, "--kind", kind, "--build", build,
                    "--no-system", *more], check=True, stdout=subprocess.DEVNULL)


def change(path, pattern, text):
    with open(path, encoding="utf-8") as f:
        old = f.read()
    new = re.sub(pattern, text, old, count=1)
    if new == old:
        sys.exit("agent_footprint.py: %s has no %s" % (path, pattern))
    with open(path, "w", encoding="utf-8") as f:
        f.write(new)


def start(prefix, program):
    return subprocess.Popen([os.path.join(prefix, "bin", "ospatrol-" + program), "-f", "-D", prefix],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(what, condition, limit=60):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            sys.exit("agent_footprint.py: %s within %d s" % (what, limit))
        time.sleep(0.1)


def status_kib(pid, key):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return int(re.search(r"^%s:\s+(\d+)" % key, f.read(), flags=re.M).group(1))


def cpu_ms(pid):
    """In nanosecond steps, all threads."""
    with open("/proc/%d/task/%d/schedstat" % (pid, pid), encoding="ascii") as f:
        total = int(f.read().split()[0])
    for task in os.listdir("/proc/%d/task" % pid):
        if int(task) != pid:
            with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1e6


def mappings(pid):
    """(file or kind, first address, end, KiB of PSS, KiB that only this process has) of each."""
    found, head = [], None
    with open("/proc/%d/smaps" % pid, encoding="utf-8", errors="replace") as f:
        for line in f:
            address = re.match(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+\s*(.*)", line)
            if address:
                head = [address.group(3).strip() or "anonymous", int(address.group(1), 16), int(address.group(2), 16), 0, 0]
                found.append(head)
            elif line.startswith("Pss:"):
                head[3] += int(line.split()[1])
            elif line.startswith(("Private_Clean:", "Private_Dirty:")):
                head[4] += int(line.split()[1])
    return found


def frames(pid, first, end):
    """Numbers of the page frames that are present."""
    if first >= 1 << 47:
        return set()
    with open("/proc/%d/pagemap" % pid, "rb") as f:
        f.seek(first // PAGE * 8)
        entries = memoryview(f.read((end - first) // PAGE * 8)).cast("Q")
    return {entry & ((1 << 55) - 1) for entry in entries if entry >> 63}


def kind_of(name):
    if name.startswith("/"):
        return re.sub(r"^/ospatrol-|^ospatrol-", "program ospatrol-", os.path.basename(name))
    return {"[heap]": "heap", "[stack]": "stack"}.get(name, "other anonymous" if name == "anonymous" else name)


class Agent:
    """A manager and an agent, running, connected."""

    def __init__(self, options, work):
        self.manager, self.agent = os.path.join(work, "manager"), os.path.join(work, "agent")
        self.processes = {}
        install(options.build, self.manager, "server")
        install(options.build, self.agent, "agent", "--manager", "127.0.0.1")
        change(os.path.join(self.manager, "etc/ospatrol.conf"), "(<connection>secure</connection>)",
               r"\1<port>%d</port>" % PORT)
        change(os.path.join(self.agent, "etc/ospatrol.conf"), "(</server-ip>)", r"\1<port>%d</port>" % PORT)
        key = "001 footprint any %s\n" % secrets.token_hex(32)
        for prefix in (self.manager, self.agent):
            with open(os.path.join(prefix, "etc/client.keys"), "w", encoding="ascii") as f:
                f.write(key)
        if options.logs:
            self.add_logs(options.logs, work)

    def add_logs(self, count, work):
        files = "".join("  <localfile><log_format>syslog</log_format><location>%s/log%d</location></localfile>\n" % (work, i)
                        for i in range(count))
        for i in range(count):
            with open("%s/log%d" % (work, i), "w", encoding="ascii"):
                pass
        change(os.path.join(self.agent, "etc/ospatrol.conf"), "</ospatrol_config>", files + "</ospatrol_config>")

    def run(self):
        self.processes = {"manager " + name: start(self.manager, name) for name in ("analysisd", "remoted")}
        wait_for("the manager does not listen",
                 lambda: os.path.exists(os.path.join(self.manager, "queue/ospatrol/stream")))
        for name in ("execd", "agentd", "logcollector"):
            self.processes[name] = start(self.agent, name)
        info = os.path.join(self.manager, "queue/agent-info/footprint-any")
        wait_for("the agent does not connect", lambda: os.path.exists(info))

    def stop(self):
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait()

    def pids(self):
        return {name: self.processes[name].pid for name in DAEMONS}


def measure(agent, seconds):
    pids = agent.pids()
    before = {name: cpu_ms(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    result, libraries, everything = {}, {}, set()
    for name, pid in pids.items():
        own = set()
        maps = mappings(pid)
        for path, first, end, pss, private in maps:
            place = libraries.setdefault(kind_of(path), {"pss": 0.0, "private": 0, "frames": set(), "in": []})
            place["pss"] += pss
            place["private"] += private
            found = frames(pid, first, end)
            place["frames"] |= found
            own |= found
            if name not in place["in"]:
                place["in"].append(name)
        everything |= own
        result[name] = {"rss": status_kib(pid, "VmRSS"), "anon": status_kib(pid, "RssAnon"), "pss": sum(m[3] for m in maps),
                        "cpu": (cpu_ms(pid) - before[name]) * 60 / seconds, "threads": status_kib(pid, "Threads"),
                        "descriptors": len(os.listdir("/proc/%d/fd" % pid))}
    return result, libraries, len(everything) * PAGE // 1024


def verdict(value, goal):
    return "yes" if value <= goal else "no"


def tables(result, libraries, once):
    lines = ["| daemon | RssAnon MiB (goal 3) | RSS MiB | PSS MiB | CPU ms a minute (goal 5) | threads | descriptors | reached |",
             "|---|---|---|---|---|---|---|---|"]
    for name, one in result.items():
        lines.append("| %s | %.2f | %.2f | %.2f | %.2f | %d | %d | %s |" % (
            name, one["anon"] / 1024, one["rss"] / 1024, one["pss"] / 1024, one["cpu"], one["threads"], one["descriptors"],
            verdict(one["anon"], GOAL_ANON_KIB) + ", " + verdict(one["cpu"], GOAL_CPU_MS)))
    pss = sum(one["pss"] for one in result.values())
    lines.append("| together | %.2f | | %.2f (goal 24); %.2f each page once | %.2f | | | %s |" % (
        sum(one["anon"] for one in result.values()) / 1024, pss / 1024, once / 1024,
        sum(one["cpu"] for one in result.values()), verdict(pss, GOAL_PSS_KIB)))
    lines += ["", "| mapped | in | MiB, each page once | PSS MiB | of one process alone MiB |", "|---|---|---|---|---|"]
    size = lambda place: len(place["frames"]) * PAGE / 1024 / 1024
    for name, place in sorted(libraries.items(), key=lambda item: -size(item[1])):
        if size(place) >= 0.1:
            lines.append("| %s | %s | %.2f | %.2f | %.2f |" % (name, ", ".join(place["in"]), size(place), place["pss"] / 1024,
                                                            place["private"] / 1024))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(common.SOURCE, "build/release"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--settle", type=float, default=20, help="seconds between the connection and the measurement")
    parser.add_argument("--logs", type=int, default=0, help="log files to follow besides those of the shipped configuration")
    parser.add_argument("--write", action="store_true", help="into docs/")
    parser.add_argument("--work", default=tempfile.gettempdir())
    options = parser.parse_args()
    if os.getuid() != 0:
        sys.exit("agent_footprint.py: must be root: installs prefixes, reads page tables")
    work = tempfile.mkdtemp(prefix="ospatrol-footprint-", dir=options.work)
    os.chmod(work, 0o755)  # the service users must reach it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("agent_footprint.py: stopped"))
    agent = None
    try:
        agent = Agent(options, work)
        agent.run()
        time.sleep(options.settle)
        text = tables(*measure(agent, options.seconds))
    finally:
        if agent:
            agent.stop()
        shutil.rmtree(work, ignore_errors=True)
    head = "Commit %s; %s; %.0f s watched, %.0f s after the connection; %s." % (
        common.commit(common.SOURCE), common.machine(), options.seconds, options.settle,
        datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"))
    print(head + "\n\n" + text)
    if options.write:
        with open(os.path.join(common.OUT, "agent-footprint.txt"), "w", encoding="utf-8") as f:
            f.write("command: %s\n%s\n\n%s" % (" ".join(["agent_footprint.py", *sys.argv[1:]]), head, text))
        common.put_into_document(LABEL, head + "\n\n" + text)


if __name__ == "__main__":
    main()
