// The `rule` object of both JSON records: facts, groups, compliance arrays, rootcheck markers,
// MITRE ids (4.1).
#pragma once

#include <string>
#include <string_view>

#include "alert/alert.h"

namespace ospatrol::alert {

void AppendJsonRule(const Alert& alert, std::string& out);

// The same in parts: before and behind the place of firedtimes. `log` is searched for markers when
// DependsOnLog.
void AppendJsonRuleHead(const RuleFacts& rule, std::string& out);
void AppendJsonRuleTail(const RuleFacts& rule, std::string_view log, std::string& out);
bool DependsOnLog(const RuleFacts& rule);

}  // namespace ospatrol::alert
