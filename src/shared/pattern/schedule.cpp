#include "pattern/schedule.h"

#include <array>
#include <utility>

#include "base/text.h"

namespace ospatrol::pattern {
namespace {

constexpr int kMinutesOfDay = 24 * 60;
constexpr uint8_t kAllDays = 0x7F;
constexpr uint8_t kWeekend = 1 << 0 | 1 << 6;
constexpr std::array<std::string_view, 7> kDays{"sunday",   "monday", "tuesday", "wednesday",
                                                "thursday", "friday", "saturday"};

std::string_view SkipBlanks(std::string_view text) {
  while (!text.empty() && base::IsSpace(text.front())) text.remove_prefix(1);
  return text;
}

// A time of day, and what the reference makes of it: it takes 12 am for noon.
struct TimeOfDay {
  int minute;
  int reference_minute;
};

// Takes one or two digits.
std::optional<int> TakeNumber(std::string_view& text) {
  size_t digits = 0;
  while (digits < text.size() && base::IsDigit(text[digits])) ++digits;
  if (digits == 0 || digits > 2) return std::nullopt;
  const auto number = base::ParseNumber<int>(text.substr(0, digits));
  text.remove_prefix(digits);
  return number;
}

// Takes h, hh or hh:mm, with am or pm; `text` begins behind it afterwards.
std::optional<TimeOfDay> TakeTime(std::string_view& text) {
  auto hour = TakeNumber(text);
  if (!hour) return std::nullopt;
  int minute = 0;
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    const size_t before = text.size();
    const auto minutes = TakeNumber(text);
    if (!minutes || before - text.size() != 2 || *minutes > 59) return std::nullopt;
    minute = *minutes;
  }
  text = SkipBlanks(text);
  const bool am = base::StartsWithIgnoreCase(text, "am");
  const bool pm = base::StartsWithIgnoreCase(text, "pm");
  if (am || pm) text = SkipBlanks(text.substr(2));
  if (pm && *hour != 12) *hour += 12;
  if (*hour > 23) return std::nullopt;
  const bool midnight = am && *hour == 12;
  return TimeOfDay{(midnight ? 0 : *hour * 60) + minute, *hour * 60 + minute};
}

bool Within(int first, int last, int minute) {
  return first <= last ? first <= minute && minute <= last : minute >= first || minute <= last;
}

// Midnight spans leave out both ends and forget the negation.
bool ReferenceContains(int first, int last, bool negated, int minute) {
  if (first > last) return minute > first || minute < last;
  return Within(first, last, minute) != negated;
}

std::optional<uint8_t> ParseDay(std::string_view name) {
  if (base::EqualsIgnoreCase(name, "weekends")) return kWeekend;
  if (base::EqualsIgnoreCase(name, "weekdays")) return uint8_t{kAllDays & ~kWeekend};
  for (size_t day = 0; day < kDays.size(); ++day) {
    if (base::EqualsIgnoreCase(name, kDays[day]) ||
        base::EqualsIgnoreCase(name, kDays[day].substr(0, 3))) {
      return static_cast<uint8_t>(1U << day);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<TimeRange> TimeRange::Parse(std::string_view text, bool* differs) {
  text = SkipBlanks(text);
  TimeRange range;
  range.negated_ = text.starts_with('!');
  if (range.negated_) text = SkipBlanks(text.substr(1));
  const auto first = TakeTime(text);
  if (!first || !text.starts_with('-')) return std::nullopt;
  text = SkipBlanks(text.substr(1));
  const auto last = TakeTime(text);
  if (!last || !text.empty()) return std::nullopt;
  range.first_ = first->minute;
  range.last_ = last->minute;
  if (differs != nullptr) {
    *differs = false;
    for (int minute = 0; minute < kMinutesOfDay; ++minute) {
      *differs |= range.Contains(minute) != ReferenceContains(first->reference_minute,
                                                              last->reference_minute,
                                                              range.negated_, minute);
    }
  }
  return range;
}

bool TimeRange::Contains(int minute) const { return Within(first_, last_, minute) != negated_; }

std::optional<DaySet> DaySet::Parse(std::string_view text) {
  text = SkipBlanks(text);
  const bool negated = text.starts_with('!');
  if (negated) text.remove_prefix(1);
  DaySet set;
  for (const std::string_view name : base::SplitWords(text, ", \t\r\n")) {
    const auto days = ParseDay(name);
    if (!days) return std::nullopt;
    set.days_ |= *days;
  }
  if (set.days_ == 0) return std::nullopt;
  if (negated) set.days_ = static_cast<uint8_t>(~set.days_ & kAllDays);
  return set;
}

}  // namespace ospatrol::pattern
