#!/usr/bin/python3
"""Runs one file of end-to-end tests. Exit: 0 passed, 1 failed (also when a sanitizer found something in a program, whatever
the tests saw of it), 77 nothing ran because everything was skipped."""
import importlib
import importlib.util
import os
import sys
import unittest


class SanitizerReport:
    """What sanitizers write from now on in the programs of this build (packaging/cmake/sanitized_program.cpp)."""

    def __init__(self, harness):
        self.path = os.path.join(harness.BUILD, "sanitizer_report.txt")
        with open(self.path, "a") as f:
            os.fchmod(f.fileno(), 0o666)  # some programs are started by service users
        self.seen = len(harness.read(self.path))
        self.read = harness.read

    def news(self):
        return self.read(self.path)[self.seen:]


def main(path):
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    harness = importlib.import_module("harness")
    harness.leave_the_network()
    report = SanitizerReport(harness) if harness.sanitizer() else None
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    if result.testsRun == 0:
        print("no test ran")
        return 1
    if report and report.news():
        print("found by a sanitizer while these tests ran:\n" + report.news())
        return 1
    if not result.wasSuccessful():
        return 1
    for test, reason in result.skipped:
        print("SKIPPED %s: %s" % (test, reason))
    return 77 if len(result.skipped) == result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
