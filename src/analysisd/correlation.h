// What a composite rule counts (rules-and-decoders 4.9): which earlier events, and what they must
// have in common.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/event.h"
#include "pattern/pattern.h"

namespace ospatrol::analysisd {

// A value of an event that two events are compared by.
struct ComparedValue {
  enum class Source { kField, kHostname, kDynamic };
  Source source = Source::kField;
  Field field = Field::kCount;
  std::string name;  // kDynamic: lower case

  // Unset when the event has no such value.
  std::string_view Of(const Event& event) const {
    if (source == Source::kField) return event.Get(field);
    return source == Source::kHostname ? event.hostname : event.GetDynamic(name);
  }
  std::string Name() const;  // "srcip", "hostname", "field win.system.eventid"

  friend bool operator==(const ComparedValue&, const ComparedValue&) = default;
};

struct Correlation {
  enum class Kind {
    kSid,    // events whose final rule was `sid`
    kGroup,  // events whose final rule's groups match `pattern`
    kRegex,  // recorded events of the same category whose log matches `pattern`
  };
  Kind kind = Kind::kSid;
  int sid = 0;
  std::shared_ptr<const pattern::Pattern> pattern;
  std::vector<ComparedValue> same;       // present and equal in both events
  std::vector<ComparedValue> different;  // present in both events and not equal

  std::string Describe() const;  // "if_matched_sid 5716, same srcip"
};

}  // namespace ospatrol::analysisd
