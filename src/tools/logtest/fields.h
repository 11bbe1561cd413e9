// Names of decoded fields as logtest shows them, and a walk over those that an event has.
#pragma once

#include <algorithm>
#include <string_view>

#include "analysisd/event.h"

namespace ospatrol::logtest {

// "dstuser", "extra_data", "proto", ...
std::string_view FieldLabel(analysisd::Field field);

// Calls `visit(name, value)` for each field in order of extraction; one that was set again is shown
// once, where it was set last.
template <typename Visit>
void ForEachField(const analysisd::Event& event, Visit visit) {
  const auto& extraction = event.Extraction();
  for (auto here = extraction.begin(); here != extraction.end(); ++here) {
    const auto is_same = [&](const analysisd::Event::Extracted& later) {
      return later.field == here->field && later.dynamic == here->dynamic;
    };
    if (std::any_of(here + 1, extraction.end(), is_same)) continue;
    if (here->field != analysisd::Field::kCount) {
      visit(FieldLabel(here->field), event.Get(here->field));
    } else {
      const auto& [name, value] = event.dynamic_fields[here->dynamic];
      visit(name, value);
    }
  }
}

}  // namespace ospatrol::logtest
