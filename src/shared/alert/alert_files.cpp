#include "alert/alert_files.h"

#include <fmt/format.h>

namespace ospatrol::alert {

std::string DailyPath(const DailyNames& names, const base::Day& day, int part) {
  const std::string number = part == 0 ? std::string() : fmt::format(".{:03}", part);
  if (names.stem.empty()) {
    return fmt::format("{}/{}{}.{}", names.tree, base::FormatDay(day), number, names.extension);
  }
  return fmt::format("{}/{:04}/{}/{}-{:02}{}.{}", names.tree, day.year, base::MonthName(day.month),
                     names.stem, day.day, number, names.extension);
}

}  // namespace ospatrol::alert
