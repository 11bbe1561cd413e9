#!/usr/bin/python3
"""Measures remoted, as root: one line of JSON a case, then the table of docs/performance.md.

  remoted.py --input LOG [--build build/release] [--only REGEX]

Installs a manager in a temporary prefix and runs remoted_bench for each case: it starts remoted there, plays analysisd and the
agents. Units are CPU time of remoted over the yardstick of the same minute: they hold on a busy machine. Events per second are
wall-clock with the agents on the same processors: lower bounds.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CASES = [
    # name, what, options
    ("v2-events", "v2 batches, as fast as they are taken", ["--protocol", "v2", "--agents", "200", "--seconds", "15"]),
    ("v1-aes-events", "legacy AES packets, more than can be taken", ["--protocol", "v1", "--agents", "200", "--seconds", "3"]),
    ("v1-blowfish-events", "legacy Blowfish packets, more than can be taken",
     ["--protocol", "v1", "--cipher", "blowfish", "--agents", "200", "--seconds", "3"]),
    ("v1-burst", "a burst of 100,000 legacy packets", ["--protocol", "v1", "--agents", "200", "--mode", "burst"]),
    ("v1-100-a-second", "1,000 legacy agents, 100 events/s in all",
     ["--protocol", "v1", "--agents", "1000", "--rate", "100", "--seconds", "20"]),
    ("v2-100-a-second", "1,000 agents of v2, 100 events/s in all",
     ["--protocol", "v2", "--agents", "1000", "--rate", "100", "--seconds", "20"]),
    ("v1-idle-1000", "1,000 legacy agents, keep-alives alone", ["--protocol", "v1", "--agents", "1000", "--mode", "idle",
                                                              "--seconds", "30"]),
    ("v1-idle-10000", "10,000 legacy agents, keep-alives alone", ["--protocol", "v1", "--agents", "10000", "--mode", "idle",
                                                                "--seconds", "30"]),
    ("v1-idle-50000", "50,000 legacy agents, keep-alives alone", ["--protocol", "v1", "--agents", "50000", "--mode", "idle",
                                                                "--seconds", "30"]),
    ("v2-idle-1000", "1,000 agents of v2, idle", ["--protocol", "v2", "--agents", "1000", "--mode", "idle", "--seconds", "30"]),
    ("v2-idle-10000", "10,000 agents of v2, idle", ["--protocol", "v2", "--agents", "10000", "--mode", "idle",
                                                  "--seconds", "30"]),
    ("v2-idle-50000", "50,000 agents of v2, idle", ["--protocol", "v2", "--agents", "50000", "--mode", "idle",
                                                  "--seconds", "30"]),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--build", default=os.path.join(SOURCE, "build/release"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="ospatrol-bench-")
    os.chmod(work, 0o755)
    prefix = os.path.join(work, "home")
    try:
        subprocess.run([os.path.join(SOURCE, "packaging/install.sh"), "--prefix", prefix, "--kind", "server", "--build",
                        options.build, "--no-system"], check=True, stdout=subprocess.DEVNULL)
        open(os.path.join(prefix, "benchmark-prefix"), "w", encoding="utf-8").close()
        rows = []
        for name, what, arguments in CASES:
            if not re.search(options.only, name):
                continue
            for leftover in ("queue/rids", "queue/agent-info"):
                for entry in os.listdir(os.path.join(prefix, leftover)):
                    os.remove(os.path.join(prefix, leftover, entry))
            result = subprocess.run([os.path.join(options.build, "tests/bench/remoted_bench"), "--prefix", prefix, "--input",
                                     options.input, *arguments], capture_output=True, text=True, timeout=1800)
            line = result.stdout.strip().split("\n")[-1]
            if not line.startswith("{"):
                print("%s: failed: %s" % (name, result.stderr.strip()[-500:]), file=sys.stderr)
                continue
            figures = json.loads(line)
            print(json.dumps({"case": name, **figures}), flush=True)
            rows.append((what, figures))
        print("\n| case | events/s | us/event | units/event | lost | CPU ms/min | RSS MiB | descriptors |\n"
              "|---|---|---|---|---|---|---|---|")
        for what, f in rows:
            lost = max(0, f["offered"] - f["delivered"])
            print("| %s | %.0f | %s | %s | %s | %.0f | %.1f | %d |" % (
                what, f["events_per_s"], f.get("cpu_us_per_event", "-"), f.get("units_per_event", "-"),
                "%d (%.1f %%)" % (lost, 100.0 * lost / f["offered"]) if f["offered"] else "-", f["cpu_ms_per_minute"],
                f["rss_kib"] / 1024, f["descriptors"]))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
