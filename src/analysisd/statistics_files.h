// Statistics in the files that reports and administrators read: stats/hourly-average/H,
// stats/weekly-average/D/H, each one decimal number, and
// stats/totals/YYYY/Mon/ospatrol-totals-DD.log (rules-and-decoders 4.14).
#pragma once

#include <array>
#include <filesystem>
#include <string>

#include "analysisd/statistics.h"
#include "log/log.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

// A file that cannot be written costs one line of the log a minute; the numbers stay in memory.
class StatisticsFiles : public StatisticsStore {
 public:
  // Reads all averages below `home`; a file that is missing or no number counts as 0.
  explicit StatisticsFiles(const Home& home);

  int64_t Average(int weekday, int hour) const override;
  void SetAverage(int weekday, int hour, int64_t value) override;
  void AppendTotals(const std::tm& day, std::string_view text) override;

 private:
  static size_t Row(int weekday) { return static_cast<size_t>(weekday + 1); }
  std::filesystem::path PathOf(int weekday, int hour) const;

  std::filesystem::path stats_;
  std::array<std::array<int64_t, 25>, 8> averages_{};  // by weekday + 1
  log::Limited<msg::kStatisticsNotKept> not_kept_;
};

}  // namespace ospatrol::analysisd
