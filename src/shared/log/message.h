// The shape of a catalogued message. The catalogue itself is messages.h.
#pragma once

#include <string_view>

namespace ospatrol::log {

enum class Level { kError, kWarn, kInfo, kDebug };

struct Message {
  int id;  // stable number; 0 = logged without a number, as the reference does
  Level level;
  std::string_view text;    // fmt format string; checked at compile time where it is used
  std::string_view remedy;  // docs/messages.md: what it means and what to do
};

}  // namespace ospatrol::log
