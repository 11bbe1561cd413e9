#include "analysisd/rule_facts.h"

#include "analysisd/rule.h"

namespace ospatrol::analysisd {

namespace {

void CopyAllButText(const Rule& rule, alert::RuleFacts& facts) {
  facts.id = rule.id;
  facts.level = rule.level;
  facts.frequency = rule.frequency;
  facts.comment = rule.description;
  facts.group = rule.group;
  facts.info = rule.info_text;
  facts.cve = rule.cve;
  if (facts.mitre_ids != rule.mitre_ids) facts.mitre_ids = rule.mitre_ids;
}

}  // namespace

void CopyRuleFacts(const Rule& rule, alert::RuleFacts& facts) {
  const alert::RuleText& text = rule.text.Get([&] {
    alert::RuleFacts of_rule;
    CopyAllButText(rule, of_rule);
    return alert::RuleText::Of(of_rule);
  });
  if (facts.text_number == text.number) return;  // several alerts of one rule in a row
  CopyAllButText(rule, facts);
  facts.text = &text;
  facts.text_number = text.number;
}

}  // namespace ospatrol::analysisd
