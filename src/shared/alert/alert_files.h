// Where alerts stand on disk: known to analysisd, which writes them, and to all that read them
// (outputs-and-response 3.1, 13.1).
#pragma once

#include <string>
#include <string_view>

#include "base/day.h"

namespace ospatrol::alert {

// One dated file a day, and the current one under a name without date.
struct DailyNames {
  std::string_view tree;       // "logs/alerts"
  std::string_view stem;       // "ospatrol-alerts"; empty: TREE/YYYY-MM-DD.EXTENSION
  std::string_view extension;  // "log"
  std::string_view link;       // "alerts.log", in `tree`; empty: none
};

inline constexpr DailyNames kTextFiles{"logs/alerts", "ospatrol-alerts", "log", "alerts.log"};
inline constexpr DailyNames kJsonFiles{"logs/alerts", "ospatrol-alerts", "json", "alerts.json"};
// Standard records beside <custom_alert_output>.
inline constexpr DailyNames kSpoolFiles{"queue/alerts/spool", "", "log", ""};

// "logs/alerts/2024/May/ospatrol-alerts-07.log", relative to the prefix. `part` above 0: a day that
// was cut by size, "ospatrol-alerts-07.001.log".
std::string DailyPath(const DailyNames& names, const base::Day& day, int part = 0);

}  // namespace ospatrol::alert
