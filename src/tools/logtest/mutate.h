// --tests FILE... --mutate: do the test files hold each condition of each rule?
//
// For every rule, each of its conditions is dropped in turn (elements that test an event, and the
// same_ and different_ elements of composite rules), and test cases run until one notices: one that
// passed fails. All cases run once before, which tells for each rule in which of them it was tried
// and at which condition it failed. A dropped condition can only change cases in which the rule
// failed at it; for conditions that remember (first time seen, differences, counting) those in
// which it was tried at all. Only these run.
// Decoders and rules are loaded once: the rule without its condition is compiled alone and takes
// the place of the rule in the set until its cases have run. Rules with overwrite="yes" depend on
// what they replace: for these everything is loaded again.
#pragma once

#include <string>
#include <vector>

#include "logtest/options.h"
#include "logtest/rule_tests.h"
#include "logtest/sources.h"

namespace ospatrol::logtest {

// A rule of which a condition can be dropped without a case noticing.
struct LooseRule {
  std::string file;
  int line = 0;
  int id = 0;
  std::vector<std::string> missed;  // names of these conditions
  bool untested = false;            // these are all that it has
};

struct MutationReport {
  size_t mutants = 0;
  size_t noticed = 0;
  std::vector<LooseRule> rules;
};

// Cases that fail as it is cannot notice anything; they, progress and mutants that do not load are
// told on standard error. REQUIRES: what `sources` names loads without errors.
MutationReport Mutate(const Sources& sources, std::vector<TestCase> cases);

// Prints a line for each loose rule, then "N mutants, N noticed, N unnoticed in N rules, N rules
// without a test that notices". Exit status: 0, or 1 when a test file cannot be read.
int RunMutants(const Options& options, const Sources& sources);

}  // namespace ospatrol::logtest
