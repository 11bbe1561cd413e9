// Rule conditions on the time of day and the day of the week (rules-and-decoders 2.10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ospatrol::pattern {

// "8:30 am - 17", "!22:00 - 06:00": minutes of the day, both ends included, midnight spans allowed.
class TimeRange {
 public:
  // Nothing when the text is not a span. `differs` (may be null) is set when the reference would
  // answer differently.
  static std::optional<TimeRange> Parse(std::string_view text, bool* differs = nullptr);

  bool Contains(int minute_of_day) const;  // 0-1439

 private:
  int first_ = 0;
  int last_ = 0;
  bool negated_ = false;
};

// "monday,tue", "weekends", "!sunday": a set of days.
class DaySet {
 public:
  static std::optional<DaySet> Parse(std::string_view text);

  bool Contains(int weekday) const { return (days_ >> weekday & 1) != 0; }  // 0 = Sunday

 private:
  uint8_t days_ = 0;
};

}  // namespace ospatrol::pattern
