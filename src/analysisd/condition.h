// One test of a rule: a small class each, registered in condition_registry.cpp. A new condition is
// one new file condition_<name>.cpp and one line in that table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysisd/engine_state.h"
#include "analysisd/event.h"

namespace ospatrol::analysisd {

class FirstSeen;
struct Rule;

// What a condition may use beside the event.
struct ConditionContext {
  EngineState& state;
  FirstSeen& first_seen;
  const Rule& rule;
  // check_diff puts "Previous output:" and the old content here; composite rules their earlier
  // events.
  std::vector<std::string>& last_events;
};

class Condition {
 public:
  virtual ~Condition() = default;

  // True when the event has what the condition wants. A field that is not set never matches.
  virtual bool Holds(const Event& event, ConditionContext& context) const = 0;

  // Name of the XML element, for traces and lint.
  virtual std::string_view element() const = 0;
  // What it wants, and what the event has: "match 'Failed password' against 'Accepted ...'".
  virtual std::string Describe(const Event& event) const = 0;
};

}  // namespace ospatrol::analysisd
