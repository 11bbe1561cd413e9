// Names of decoded fields as logtest shows them, and a walk over those that an event has.
#pragma once

#include <string_view>

#include "analysisd/event.h"

namespace ospatrol::logtest {

// "dstuser", "extra_data", "proto", ...
std::string_view FieldLabel(analysisd::Field field);

// Calls `visit(name, value)` for each field in order of extraction.
template <typename Visit>
void ForEachField(const analysisd::Event& event, Visit visit) {
  for (const analysisd::Event::Extracted& extracted : event.Extraction()) {
    if (extracted.field != analysisd::Field::kCount) {
      visit(FieldLabel(extracted.field), event.Get(extracted.field));
    } else {
      const auto& [name, value] = event.dynamic_fields[extracted.dynamic];
      visit(name, value);
    }
  }
}

}  // namespace ospatrol::logtest
