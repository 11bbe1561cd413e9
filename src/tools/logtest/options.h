// The command line of ospatrol-logtest (rules-and-decoders 7.1).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ospatrol::logtest {

// -U RULE:LEVEL:DECODER
struct Expectation {
  std::string rule, level, decoder;
};

struct Options {
  std::filesystem::path prefix;         // -D
  std::filesystem::path configuration;  // -c, default PREFIX/etc/ospatrol.conf
  int debug = 0;                        // -d
  bool test = false;                    // -t: load everything and exit
  bool alerts_only = false;             // -a
  bool trace = false;                   // -v
  bool quiet = false;                   // -q
  std::optional<Expectation> unit_test;
  std::string replay;        // -r FILE
  bool full_json = false;    // -j
  bool json = false;         // --json
  bool explain = false;      // --explain
  bool run_tests = false;    // --tests, files in `files`
  bool classic_ini = false;  // --ini classic: of a repeated key the last one wins
  bool lint = false;         // --lint
  bool mutate = false;       // --mutate, with --tests
  std::vector<std::string> files;
};

// What main does when the command line itself decides: print and leave with this status.
struct Leave {
  int status;
};

// Returns options, or the exit status after help, version or a message was printed.
std::optional<Options> ParseOptions(int argc, char** argv, Leave& leave);

// "RULE:LEVEL:DECODER"; nothing without two colons. The decoder name may contain colons.
std::optional<Expectation> ParseExpectation(const std::string& text);

}  // namespace ospatrol::logtest
