// --lint: what is wrong with rules and decoders although they load. One table of checks; a new one
// is a function and a line in lint.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "analysisd/ruleset.h"
#include "config/problems.h"
#include "logtest/sources.h"

namespace ospatrol::logtest {

// What a check looks at.
struct LintInput {
  const analysisd::Ruleset& ruleset;
  const Documents& documents;
};

struct LintCheck {
  std::string_view name;
  void (*run)(const LintInput& input, config::Problems& found);
};

std::span<const LintCheck> LintChecks();

// All checks in the order of the table.
void Lint(const LintInput& input, config::Problems& found);

// Prints what loading found (`problems`: errors and warnings) and, if there is a rule set, what the
// checks find: a line each on standard output, then "N problems". Exit status: 0 when there are
// none, else 1.
int RunLint(const Sources* sources, const analysisd::Ruleset* ruleset, config::Problems problems);

}  // namespace ospatrol::logtest
