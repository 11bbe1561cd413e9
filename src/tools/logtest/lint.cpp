#include "logtest/lint.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <utility>

#include "log/messages.h"
#include "logtest/lint_checks.h"

namespace ospatrol::logtest {
namespace {

constexpr std::array kChecks{
    LintCheck{"unreachable rules", FindUnreachableRules},
    LintCheck{"idle rules", FindIdleRules},
    LintCheck{"unknown fields", FindUnknownFields},
    LintCheck{"dead patterns", FindDeadPatterns},
    LintCheck{"leading .*", FindLeadingAnything},
    LintCheck{"unreachable top-level decoders", FindUnreachableRoots},
    LintCheck{"unreachable child decoders", FindUnreachableChildren},
    LintCheck{"names and captures", FindOrderMismatches},
};

// "Error loading the rules: 'x'." closes the errors of a file and is none of its own.
bool IsProblem(const config::Problem& problem) {
  if (problem.kind == config::Problem::Kind::kInfo) return false;
  return problem.id != msg::kRulesFile.id || problem.line != 0;
}

}  // namespace

std::span<const LintCheck> LintChecks() { return kChecks; }

void Lint(const LintInput& input, config::Problems& found) {
  for (const LintCheck& check : kChecks) check.run(input, found);
}

int RunLint(const Sources* sources, const analysisd::Ruleset* ruleset, config::Problems problems) {
  if (ruleset != nullptr) {
    const Documents documents = sources->ReadDocuments();
    Lint({*ruleset, documents}, problems);
  }
  size_t count = 0;
  for (const config::Problem& problem : problems.all()) {
    if (!IsProblem(problem)) continue;
    ++count;
    fmt::print("{}\n", problem.Line());
  }
  fmt::print("{} problems\n", count);
  return count == 0 ? 0 : 1;
}

}  // namespace ospatrol::logtest
