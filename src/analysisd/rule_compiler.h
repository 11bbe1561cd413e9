// A rule as written (RuleDraft) to a rule as tried (Rule).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "analysisd/rule.h"
#include "analysisd/rule_draft.h"
#include "analysisd/ruleset.h"

namespace ospatrol::analysisd {

// Conditions, counting, flags. Errors go to `scope`; the result is then of no use.
Rule CompileRule(const RuleDraft& draft, const EngineOptions& options, RuleScope& scope);

// Where a rule hangs (4.5), with the defaults that <if_matched_...> gives.
struct Parents {
  std::vector<int> sids;
  std::optional<int> level;
  std::string group;  // word match; empty = none
  int line = 0;
  std::shared_ptr<const pattern::Pattern> group_pattern;

  bool IsEmpty() const { return sids.empty() && !level && group_pattern == nullptr; }
  bool SamePlace(const Parents& other) const {
    return sids == other.sids && level == other.level && group == other.group;
  }
};

// Nothing after an error.
std::optional<Parents> ReadParents(const RuleDraft& draft, RuleScope& scope);

}  // namespace ospatrol::analysisd
