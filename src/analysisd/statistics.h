// How many events an hour usually brings, and the alert when it brings far more
// (rules-and-decoders 4.14); the hourly lines of stats/totals.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "analysisd/engine.h"
#include "analysisd/event.h"
#include "analysisd/rule.h"
#include "config/configuration.h"
#include "config/internal_options.h"

namespace ospatrol::analysisd {

// Where averages are kept: one number each.
class StatisticsStore {
 public:
  static constexpr int kEveryDay = -1;  // the hourly table; 0-6: the weekly one, 0 = Sunday
  static constexpr int kDaysLearned = 24;

  virtual ~StatisticsStore() = default;

  // `hour` 0-23, or kDaysLearned. 0 when nothing is known.
  virtual int64_t Average(int weekday, int hour) const = 0;
  virtual void SetAverage(int weekday, int hour, int64_t value) = 0;
  // Appends to the totals of that day.
  virtual void AppendTotals(const std::tm& day, std::string_view text) = 0;
};

struct StatisticsOptions {
  int percent = 150;
  int64_t smallest = 1250;
  int64_t largest = 999000;
  int level = 4;  // <stats>

  static StatisticsOptions From(const config::Configuration& configuration,
                                const config::InternalOptions& internal);
};

// Judging thread only; a day or hour ends with the first event of a later one.
class Statistics {
 public:
  Statistics(const StatisticsOptions& options, const EngineOptions& engine_options,
             StatisticsStore& store);

  // Before the event is judged: when it is the first of an hour, writes the lines of the last hour,
  // which takes the fired counters of `engine`; of a day, learns from the day that ended.
  void Advance(const Event& event, Engine& engine);

  // Behind Judge, for each event that reached the rules. When this hour has far more events than
  // usual: the text of an alert of rule(), told at most once an hour and three times a day.
  std::optional<std::string> Count(const Event& event, const Verdict& verdict);

  // Rule 11: "Excessive number of events (above normal)."
  const Rule& rule() const { return rule_; }

 private:
  static constexpr int kHours = 24;
  static constexpr int kMostAlerts = 3;  // a day
  struct Hour {
    uint64_t alerts = 0, events = 0, syscheck = 0, firewall = 0;
  };

  std::optional<std::string> Compare(int weekday);
  int64_t Limit(int64_t average) const;
  void Learn(int weekday);
  void WriteHour(std::span<const Engine::FiredRule> fired);
  void WriteDay();

  StatisticsOptions options_;
  StatisticsStore& store_;
  Rule rule_;
  std::optional<std::tm> now_;  // of the hour that is counted
  base::Seconds time_ = 0;      // when it began
  Hour hour_;
  std::array<int64_t, kHours> counts_{};  // of today
  int alerts_today_ = 0;
  int alerted_hour_ = -1;
};

}  // namespace ospatrol::analysisd
