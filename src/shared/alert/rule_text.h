// What the records of all alerts of one rule have in common, made once, with the first of them.
#pragma once

#include <string>

#include "alert/alert.h"

namespace ospatrol::alert {

struct RuleText {
  std::string line;       // of the text record: "Rule: 5710 (level 5) -> 'comment'\n"
  std::string json_head;  // of the JSON `rule` object, up to where firedtimes stands
  std::string json_tail;  // the rest of it
  // False: the object depends on the log text, too (rootcheck's markers), and is made from facts.
  bool has_json = false;

  // REQUIRES: facts.text is null.
  static RuleText Of(const RuleFactsView& facts);
};

}  // namespace ospatrol::alert
