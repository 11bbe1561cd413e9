#include "analysisd/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

constexpr int kRuleId = 11;
constexpr base::Seconds kClockWasWrong = 86400;  // set back by more: it had been far ahead
constexpr int64_t kMostWeight = 7;               // of what was learned before
constexpr int kDaysBeforeAlert = 2;              // averages of fewer days mean nothing

constexpr std::array<std::string_view, 7> kDayNames{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};

auto DayOf(const std::tm& time) { return std::tuple(time.tm_year, time.tm_mon, time.tm_mday); }
auto HourOf(const std::tm& time) {
  return std::tuple(time.tm_year, time.tm_mon, time.tm_mday, time.tm_hour);
}

Rule MakeRule(const StatisticsOptions& options, const EngineOptions& engine_options) {
  Rule rule;
  rule.id = kRuleId;
  rule.level = options.level;
  rule.group = "stats,";
  rule.description = "Excessive number of events (above normal).";
  rule.log = rule.level >= engine_options.log_alert_level;
  rule.mail = rule.level >= engine_options.email_alert_level;
  return rule;
}

int64_t NewAverage(int64_t count, int64_t average, int64_t days, bool unusual_day) {
  if (average == 0) return count + 20;
  const int64_t weight = std::min(days, kMostWeight);
  if (unusual_day) return (3 * count + weight * average) / (weight + 3) + 25;
  return (count + weight * average) / (weight + 1) + 5;
}

}  // namespace

StatisticsOptions StatisticsOptions::From(const config::Configuration& configuration,
                                          const config::InternalOptions& internal) {
  return {.percent = static_cast<int>(internal.Get("analysisd.stats_percent_diff")),
          .smallest = internal.Get("analysisd.stats_mindiff"),
          .largest = internal.Get("analysisd.stats_maxdiff"),
          .level = configuration.global.stats_level};
}

Statistics::Statistics(const StatisticsOptions& options, const EngineOptions& engine_options,
                       StatisticsStore& store)
    : options_(options), store_(store), rule_(MakeRule(options, engine_options)) {}

void Statistics::Advance(const Event& event, Engine& engine) {
  // A clock that was set back does not reopen an hour that is written. When it was far ahead, the
  // hours that it made up are left behind.
  const bool same_clock = time_ - event.time < kClockWasWrong;
  if (now_ && same_clock && HourOf(event.local) <= HourOf(*now_)) return;
  if (now_) {
    const std::vector<Engine::FiredRule> fired = engine.TakeFired();
    WriteHour(fired);
    if (DayOf(event.local) != DayOf(*now_)) {
      WriteDay();
      Learn(StatisticsStore::kEveryDay);
      Learn(now_->tm_wday);
      counts_.fill(0);
      alerts_today_ = 0;
      alerted_hour_ = -1;
    }
  }
  now_ = event.local;
  time_ = event.time;
}

std::optional<std::string> Statistics::Count(const Event& event, const Verdict& verdict) {
  if (!now_ || verdict.duplicate || event.dropped) return std::nullopt;
  ++hour_.events;
  if (verdict.rule != nullptr) ++hour_.alerts;
  if (event.kind == '8') ++hour_.syscheck;
  if (event.category == Category::kFirewall) ++hour_.firewall;
  ++counts_[static_cast<size_t>(now_->tm_hour)];
  if (std::optional<std::string> text = Compare(StatisticsStore::kEveryDay)) return text;
  return Compare(now_->tm_wday);
}

int64_t Statistics::Limit(int64_t average) const {
  const int64_t deviation = average * options_.percent / 100 + 1;
  return average + std::min(std::max(deviation, options_.smallest), options_.largest);
}

std::optional<std::string> Statistics::Compare(int weekday) {
  const int hour = now_->tm_hour;
  if (alerts_today_ >= kMostAlerts || alerted_hour_ == hour) return std::nullopt;
  if (store_.Average(weekday, StatisticsStore::kDaysLearned) <= kDaysBeforeAlert) {
    return std::nullopt;
  }
  const int64_t average = store_.Average(weekday, hour);
  const int64_t count = counts_[static_cast<size_t>(hour)];
  if (average == 0 || count <= Limit(average)) return std::nullopt;
  ++alerts_today_;
  alerted_hour_ = hour;
  const std::string day = weekday == StatisticsStore::kEveryDay
                              ? std::string()
                              : fmt::format(" on {}", kDayNames[static_cast<size_t>(weekday)]);
  return fmt::format("The average number of logs between {}:00 and {}:00{} is {}. We reached {}.",
                     hour, hour + 1, day, average, count);
}

// Takes the day that ended into the averages of one table.
void Statistics::Learn(int weekday) {
  const int64_t days = store_.Average(weekday, StatisticsStore::kDaysLearned) + 1;
  store_.SetAverage(weekday, StatisticsStore::kDaysLearned, days);
  const bool unusual = alerts_today_ >= kMostAlerts;
  for (int hour = 0; hour < kHours; ++hour) {
    const int64_t count = counts_[static_cast<size_t>(hour)];
    if (count == 0) continue;
    store_.SetAverage(weekday, hour,
                      NewAverage(count, store_.Average(weekday, hour), days, unusual));
  }
}

void Statistics::WriteHour(std::span<const Engine::FiredRule> fired) {
  std::string lines;
  for (const Engine::FiredRule& one : fired) {
    lines += fmt::format("{}-{}-{}-{}\n", now_->tm_hour, one.rule->id, one.rule->level, one.times);
  }
  lines += fmt::format("{}--{}--{}--{}--{}\n\n", now_->tm_hour, hour_.alerts, hour_.events,
                       hour_.syscheck, hour_.firewall);
  store_.AppendTotals(*now_, lines);
  hour_ = {};
}

void Statistics::WriteDay() {
  std::string lines;
  int64_t total = 0;
  for (int hour = 0; hour < kHours; ++hour) {
    const int64_t count = counts_[static_cast<size_t>(hour)];
    lines += fmt::format("Hour totals - {}:{}\n", hour, count);
    total += count;
  }
  lines += fmt::format("Total events for day:{}\n", total);
  store_.AppendTotals(*now_, lines);
}

}  // namespace ospatrol::analysisd
