#include "analysisd/rule_facts.h"

#include "analysisd/rule.h"

namespace ospatrol::analysisd {

void CopyRuleFacts(const Rule& rule, alert::RuleFacts& facts) {
  facts.id = rule.id;
  facts.level = rule.level;
  facts.frequency = rule.frequency;
  facts.comment = rule.description;
  facts.group = rule.group;
  facts.info = rule.info_text;
  facts.cve = rule.cve;
  if (facts.mitre_ids != rule.mitre_ids) facts.mitre_ids = rule.mitre_ids;
  facts.text = rule.text.get();
}

}  // namespace ospatrol::analysisd
