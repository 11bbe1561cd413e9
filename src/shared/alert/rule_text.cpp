#include "alert/rule_text.h"

#include "alert/json_rule.h"
#include "alert/text_record.h"

namespace ospatrol::alert {

RuleText RuleText::Of(const RuleFactsView& facts) {
  RuleText text;
  RecordText line;
  AppendRuleLine(facts, line);
  text.line = line.view();
  text.has_json = !DependsOnLog(facts);
  if (text.has_json) {
    RecordText head, tail;
    AppendJsonRuleHead(facts, head);
    AppendJsonRuleTail(facts, {}, tail);
    text.json_head = head.view();
    text.json_tail = tail.view();
  }
  return text;
}

}  // namespace ospatrol::alert
