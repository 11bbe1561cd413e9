// What can be said of a pattern without a subject, for lint. From the tree that the pattern library
// reads; of patterns that are more than regular (look-around, back references) nothing is said.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "pattern/pattern.h"

namespace ospatrol::logtest {

struct PatternFacts {
  bool never_matches = false;     // text behind `$` or before `^` on every way through
  bool dead_alternative = false;  // one of its alternatives never matches
  bool leading_anything = false;  // begins with an unanchored `.*` (os_regex: `\.*`) or `.+`
  size_t most_captures = 0;       // groups that one match can deliver
};

// REQUIRES: the text compiles.
std::optional<PatternFacts> FactsOf(pattern::Language language, std::string_view text);

}  // namespace ospatrol::logtest
