#include "alert/rule_text.h"

#include "alert/alert.h"
#include "alert/json_rule.h"
#include "alert/text_record.h"

namespace ospatrol::alert {

RuleText RuleText::Of(const RuleFacts& facts) {
  RuleText text;
  AppendRuleLine(facts, text.line);
  text.has_json = !DependsOnLog(facts);
  if (text.has_json) {
    AppendJsonRuleHead(facts, text.json_head);
    AppendJsonRuleTail(facts, {}, text.json_tail);
  }
  return text;
}

}  // namespace ospatrol::alert
