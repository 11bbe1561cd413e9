// One test of a rule: a small class each, registered in condition_registry.cpp. A new condition is
// one new file condition_<name>.cpp and one line in that table.
#pragma once

#include <cstdint>
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

// Texts of which one must occur, in any case, in what a condition reads for it to hold.
struct RequiredTexts {
  enum class Source : uint8_t {
    kMessage,  // the text behind the header
    kField,    // a value that a decoder took from it, or the program name
  };
  Source source = Source::kMessage;
  const std::vector<std::string>* texts = nullptr;  // nullptr: nothing is known
};

class Condition {
 public:
  virtual ~Condition() = default;

  // True when the event has what the condition wants. A field that is not set never matches.
  virtual bool Holds(const Event& event, ConditionContext& context) const = 0;

  virtual RequiredTexts Required() const { return {}; }
  // True when Holds changes what is remembered, so that it must be asked whenever the conditions
  // before it hold.
  virtual bool Stores() const { return false; }

  // True of <decoded_as>.
  virtual bool IsDecoder() const { return false; }

  // Text of the pattern that it compares with; nullptr: there is none.
  virtual const std::string* PatternText() const { return nullptr; }

  // Name of the XML element, for traces and lint.
  virtual std::string_view element() const = 0;
  // What it wants, and what the event has: "match 'Failed password' against 'Accepted ...'".
  virtual std::string Describe(const Event& event) const = 0;
};

}  // namespace ospatrol::analysisd
