// --tests FILE... --mutate: do the test files hold each condition of each rule?
//
// For every rule, each of its conditions is dropped in turn (elements that test an event, and the
// same_ and different_ elements of composite rules), the rules are loaded so, and test cases run
// until one notices: one that passed fails. A dropped condition can only change cases in which the
// rule was tried and failed at it, so only these run; for conditions that remember (first time
// seen, differences, counting) those in which the rule was tried at all.
// Cost: one load of all files for each condition that a case comes to, about 20 ms.
#pragma once

#include <memory>

#include "analysisd/ruleset.h"
#include "logtest/options.h"
#include "logtest/sources.h"

namespace ospatrol::logtest {

// Prints a line for each rule with a condition that nobody misses, then
// "N mutants, N noticed, N rules without a test that notices"; progress goes to standard error.
// Exit status: 0, or 1 when a test file cannot be read.
int RunMutants(const Options& options, const Sources& sources,
               const std::shared_ptr<const analysisd::Ruleset>& ruleset);

}  // namespace ospatrol::logtest
