#include "analysisd/rule_facts.h"

#include "alert/rule_text.h"
#include "analysisd/rule.h"

namespace ospatrol::analysisd {

alert::RuleFactsView FactsOf(const Rule& rule) {
  alert::RuleFactsView facts;
  facts.id = rule.id;
  facts.level = rule.level;
  facts.frequency = rule.frequency;
  facts.comment = rule.description;
  facts.group = rule.group;
  facts.info = rule.info_text;
  facts.cve = rule.cve;
  facts.mitre_ids = rule.mitre_ids;
  facts.text = &rule.text.Get([&] { return alert::RuleText::Of(facts); });
  return facts;
}

}  // namespace ospatrol::analysisd
