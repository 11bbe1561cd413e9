// A calendar day in local time: what names daily files.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ospatrol::base {

struct Day {
  int year = 0, month = 0, day = 0;  // month 0-11
  auto operator<=>(const Day&) const = default;
};

Day DayOf(Seconds when);

// `days` later; earlier when negative.
Day AddDays(const Day& day, int days);

// How many days `to` is later than `from`; negative when it is earlier.
int DaysBetween(const Day& from, const Day& to);

// "2024-05-07"
std::string FormatDay(const Day& day);
// Nothing unless it is the form of FormatDay and a day of the calendar.
std::optional<Day> ParseDay(std::string_view text);

}  // namespace ospatrol::base
