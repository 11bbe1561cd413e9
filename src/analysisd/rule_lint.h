// What a load warns of once all rules are known (rules-and-decoders 4.16).
#pragma once

#include "analysisd/rule_set.h"
#include "analysisd/ruleset.h"
#include "config/problems.h"

namespace ospatrol::analysisd {

void WarnOfRules(const RuleSet& rules, const EngineOptions& options, config::Problems& problems);

}  // namespace ospatrol::analysisd
