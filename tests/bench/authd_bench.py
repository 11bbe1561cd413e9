#!/usr/bin/env python3
"""How many enrolments a minute ospatrol-authd takes, from many loopback addresses since each has a limit. Prints figures.

    OSPATROL_BUILD=build/release tests/bench/authd_bench.py [--enrolments 1000] [--addresses 50] [--clients 16] [--agents 0]

--agents N: client.keys holds N agents already. Needs root: it installs a manager in a temporary prefix.
"""
import argparse
import concurrent.futures
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

from enrolment import Authd, keys_of  # noqa: E402
from harness import Installation  # noqa: E402


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--enrolments", type=int, default=1000)
    arguments.add_argument("--addresses", type=int, default=50)
    arguments.add_argument("--clients", type=int, default=16)
    arguments.add_argument("--agents", type=int, default=0)
    options = arguments.parse_args()
    with Installation(kind="server") as manager:
        manager.write("etc/client.keys", "".join(
            "%d old%d any %064x\n" % (100000 + i, i, i) for i in range(options.agents)))
        with Authd(manager) as authd, concurrent.futures.ThreadPoolExecutor(options.clients) as pool:
            started = time.monotonic()
            took = list(pool.map(lambda i: timed(authd, i, options.addresses), range(options.enrolments)))
            seconds = time.monotonic() - started
            cpu = cpu_seconds(authd.pid())
        stored = len(keys_of(manager)) - options.agents
    took.sort()
    print("enrolments            %d of %d, %d in client.keys before" % (stored, options.enrolments, options.agents))
    print("addresses, clients    %d, %d" % (options.addresses, options.clients))
    print("enrolments a minute   %.0f" % (options.enrolments * 60 / seconds))
    print("milliseconds each     median %.1f, 99%% %.1f, worst %.1f" % (
        took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000, took[-1] * 1000))
    print("CPU of authd          %.2f ms each" % (cpu * 1000 / options.enrolments))


def timed(authd, number, addresses):
    started = time.monotonic()
    authd.enrol("host%d" % number, source="127.1.0.%d" % (number % addresses + 1))
    return time.monotonic() - started


if __name__ == "__main__":
    main()
