// The dated log files and their "current" links (outputs-and-response 3.1):
// logs/alerts/2024/May/ospatrol-alerts-07.log and its hard link logs/alerts/alerts.log.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "analysisd/group_file.h"
#include "base/time.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

// A calendar day in local time.
struct Day {
  int year = 0, month = 0, day = 0;  // month 0-11
  auto operator<=>(const Day&) const = default;
};

Day DayOf(base::Seconds when);

struct DailyFileNames {
  std::string_view tree;       // "logs/alerts"
  std::string_view stem;       // "ospatrol-alerts"; empty: TREE/YYYY-MM-DD.EXTENSION
  std::string_view extension;  // "log"
  std::string_view link;       // "alerts.log", in `tree`; empty: none
  GroupFile::RecordEnd record_end = GroupFile::RecordEnd::kLineFeed;
};

class DailyFile {
 public:
  DailyFile(const Home& home, const DailyFileNames& names) : home_(home), names_(names) {}

  // Makes directories, opens the file of `day`, points the link at it. The file of the day before
  // is removed when it is empty. On error throws Error with path and reason; then the file that was
  // open stays open.
  void Open(const Day& day);

  // As GroupFile::Append. REQUIRES: Open().
  bool Append(std::string_view group) { return file_->Append(group); }

  // Opens the file again when somebody deleted it. Throws as Open. REQUIRES: Open().
  void ReopenIfDeleted();

  uint64_t Size() const { return file_->Size(); }
  std::filesystem::path path() const { return home_ / PathOf(day_); }
  std::string relative_path() const { return PathOf(day_); }  // to the prefix, for messages

 private:
  std::string PathOf(const Day& day) const;  // relative to the prefix
  void Link(const std::string& target);

  Home home_;
  DailyFileNames names_;
  Day day_;
  std::optional<GroupFile> file_;
};

}  // namespace ospatrol::analysisd
