// The `rule` object of both JSON records: facts, groups, compliance arrays, rootcheck markers,
// MITRE ids (4.1).
#pragma once

#include <string_view>

#include "alert/alert.h"
#include "alert/record_text.h"

namespace ospatrol::alert {

void AppendJsonRule(const AlertView& alert, RecordText& out);

// The same in parts: before and behind the place of firedtimes. `log` is searched for markers when
// DependsOnLog.
void AppendJsonRuleHead(const RuleFactsView& rule, RecordText& out);
void AppendJsonRuleTail(const RuleFactsView& rule, std::string_view log, RecordText& out);
bool DependsOnLog(const RuleFactsView& rule);

}  // namespace ospatrol::alert
