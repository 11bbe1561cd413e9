#include "analysisd/statistics_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "base/time.h"

namespace ospatrol::analysisd {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;
constexpr size_t kLargestNumberFile = 64;

int64_t ReadNumber(const std::filesystem::path& path) {
  try {
    const auto text = base::ReadFileIfPresent(path, kLargestNumberFile);
    return text ? base::ParseNumber<int64_t>(base::Trim(*text)).value_or(0) : 0;
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace

StatisticsFiles::StatisticsFiles(const Home& home) : stats_(home / paths::kStats) {
  for (int weekday = kEveryDay; weekday < 7; ++weekday) {
    for (int hour = 0; hour <= kDaysLearned; ++hour) {
      averages_[Row(weekday)][static_cast<size_t>(hour)] = ReadNumber(PathOf(weekday, hour));
    }
  }
}

std::filesystem::path StatisticsFiles::PathOf(int weekday, int hour) const {
  if (weekday == kEveryDay) return stats_ / "hourly-average" / std::to_string(hour);
  return stats_ / "weekly-average" / std::to_string(weekday) / std::to_string(hour);
}

int64_t StatisticsFiles::Average(int weekday, int hour) const {
  return averages_[Row(weekday)][static_cast<size_t>(hour)];
}

void StatisticsFiles::SetAverage(int weekday, int hour, int64_t value) {
  averages_[Row(weekday)][static_cast<size_t>(hour)] = value;
  const std::filesystem::path path = PathOf(weekday, hour);
  try {
    base::MakeDirectories(path.parent_path(), kDirectoryMode);
    base::WriteFileAtomically(path, std::to_string(value), kFileMode);
  } catch (const Error& error) {
    not_kept_.Write(path.native(), error.what());
  }
}

void StatisticsFiles::AppendTotals(const std::tm& day, std::string_view text) {
  const std::filesystem::path directory =
      stats_ / "totals" / std::to_string(day.tm_year + 1900) / base::MonthName(day.tm_mon);
  const std::filesystem::path path =
      directory / fmt::format("ospatrol-totals-{:02}.log", day.tm_mday);
  try {
    base::MakeDirectories(directory, kDirectoryMode);
  } catch (const Error& error) {
    not_kept_.Write(path.native(), error.what());
    return;
  }
  const base::Fd file = base::OpenFile(path, O_WRONLY | O_APPEND | O_CREAT, kFileMode);
  if (!file || !base::WriteAll(file.get(), text)) {
    not_kept_.Write(path.native(), base::ErrnoText(errno));
  }
}

}  // namespace ospatrol::analysisd
