#include "base/day.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ospatrol::base {
namespace {

using CalendarDay = std::chrono::sys_days;

constexpr int kMaxYear = 9999;  // four digits in names

std::chrono::year_month_day Calendar(const Day& day) {
  using std::chrono::month, std::chrono::year;
  return {year(day.year), month(static_cast<unsigned>(day.month + 1)),
          std::chrono::day(static_cast<unsigned>(day.day))};
}

}  // namespace

Day DayOf(Seconds when) {
  const std::tm local = LocalTime(when);
  return {local.tm_year + 1900, local.tm_mon, local.tm_mday};
}

Day AddDays(const Day& day, int days) {
  const std::chrono::year_month_day moved(CalendarDay(Calendar(day)) + std::chrono::days(days));
  return {static_cast<int>(moved.year()),
          static_cast<int>(static_cast<unsigned>(moved.month())) - 1,
          static_cast<int>(static_cast<unsigned>(moved.day()))};
}

int DaysBetween(const Day& from, const Day& to) {
  return static_cast<int>((CalendarDay(Calendar(to)) - CalendarDay(Calendar(from))).count());
}

std::string FormatDay(const Day& day) {
  return fmt::format("{:04}-{:02}-{:02}", day.year, day.month + 1, day.day);
}

std::optional<Day> ParseDay(std::string_view text) {
  constexpr size_t kLength = 10;  // YYYY-MM-DD
  if (text.size() != kLength || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::string_view digits[] = {text.substr(0, 4), text.substr(5, 2), text.substr(8, 2)};
  for (const std::string_view number : digits) {
    if (!AllDigits(number)) return std::nullopt;
  }
  const Day day{ParseNumber<int>(digits[0]).value_or(0),
                ParseNumber<int>(digits[1]).value_or(0) - 1,
                ParseNumber<int>(digits[2]).value_or(0)};
  if (day.year > kMaxYear || day.month < 0 || !Calendar(day).ok()) return std::nullopt;
  return day;
}

}  // namespace ospatrol::base
