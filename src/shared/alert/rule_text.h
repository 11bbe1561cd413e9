// What the records of all alerts of one rule have in common, made once, with the first of them.
#pragma once

#include <cstdint>
#include <string>

namespace ospatrol::alert {

struct RuleFacts;

struct RuleText {
  std::string line;       // of the text record: "Rule: 5710 (level 5) -> 'comment'\n"
  std::string json_head;  // of the JSON `rule` object, up to where firedtimes stands
  std::string json_tail;  // the rest of it
  // False: the object depends on the log text, too (rootcheck's markers), and is made from facts.
  bool has_json = false;
  uint64_t number = 0;  // of these facts: no other text of this process ever has it

  // REQUIRES: facts.text is null.
  static RuleText Of(const RuleFacts& facts);
};

}  // namespace ospatrol::alert
