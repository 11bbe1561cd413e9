// From a rule to what alerts say of it.
#pragma once

#include "alert/alert.h"

namespace ospatrol::analysisd {

struct Rule;

// Copies the rule's facts into `facts`, whose memory is used again; fired_times stays.
void CopyRuleFacts(const Rule& rule, alert::RuleFacts& facts);

}  // namespace ospatrol::analysisd
