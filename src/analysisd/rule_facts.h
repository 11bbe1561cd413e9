// From a rule to what alerts say of it.
#pragma once

#include "alert/alert.h"

namespace ospatrol::analysisd {

struct Rule;

// Valid as long as the rule; fired_times is 0.
alert::RuleFactsView FactsOf(const Rule& rule);

}  // namespace ospatrol::analysisd
