// --tests: rule test files, many cases in one process (rules-and-decoders 7.4, wazuh4-dialect 6.3).
//
// A section names what is expected (rule, alert = the level, decoder) and holds cases: each key
// that begins "log " is one; its lines go, in order, to one fresh session, and the last verdict is
// compared. A key that ends in "fail" expects a difference. Ours: `now = 2026-11-22 10:00:00` (or
// epoch seconds) sets the clock of the section, a line that begins
// "@+30s " (s, m, h, d) comes that much later, `kind = 8` and `location = ...` say how its lines
// come in.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "analysisd/engine.h"
#include "analysisd/ruleset.h"
#include "base/time.h"
#include "config/problems.h"
#include "logtest/options.h"

namespace ospatrol::logtest {

struct TestLine {
  std::string text;
  base::Seconds time = 0;
};

struct TestCase {
  std::string file, section, key;
  int line = 0;  // of the section
  Expectation expected;
  bool expect_pass = true;
  char kind = '1';
  std::string location = "stdin";
  std::vector<TestLine> lines;
};

// Reads one file. Sections without an expectation, bad times and the like are problems.
std::vector<TestCase> ReadTestCases(const std::string& path, bool classic,
                                    config::Problems& problems);

struct TestResult {
  bool passed = false;
  std::string seen;  // "rule 5710, level 5, decoder sshd"
};

// A fresh session for each case. `tracer` sees all its lines.
TestResult RunCase(const TestCase& test, const std::shared_ptr<const analysisd::Ruleset>& ruleset,
                   analysisd::Tracer* tracer = nullptr);

// Runs all cases of all files, prints each failure on standard output, then "N passed, N failed".
// Exit status.
int RunTestFiles(const Options& options, const std::shared_ptr<const analysisd::Ruleset>& ruleset);

}  // namespace ospatrol::logtest
