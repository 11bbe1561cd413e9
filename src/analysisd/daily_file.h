// The dated log files and their "current" links (outputs-and-response 3.1):
// logs/alerts/2024/May/ospatrol-alerts-07.log and its hard link logs/alerts/alerts.log.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alert/alert_files.h"
#include "analysisd/group_file.h"
#include "base/day.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

using base::Day;
using base::DayOf;

struct DailyFileNames : alert::DailyNames {
  GroupFile::RecordEnd record_end = GroupFile::RecordEnd::kLineFeed;
};

class DailyFile {
 public:
  DailyFile(const Home& home, const DailyFileNames& names) : home_(home), names_(names) {}

  // Makes directories, opens the file of `day`, points the link at it. The file of the day before
  // is removed when it is empty. On error throws Error with path and reason; then the file that was
  // open stays open.
  void Open(const Day& day);

  // As GroupFile::Append; a file that somebody deleted or moved is made again before. False:
  // failure() says why. REQUIRES: Open().
  bool Append(std::string_view group);
  const std::string& failure() const { return failure_; }

  // When somebody deleted, renamed or replaced the file: its name is given back to it, or a new one
  // is opened. Throws as Open. REQUIRES: Open().
  void ReopenIfGone();

  uint64_t Size() const { return file_->Size(); }
  std::filesystem::path path() const { return home_ / PathOf(day_); }
  std::string relative_path() const { return PathOf(day_); }  // to the prefix, for messages

 private:
  // Relative to the prefix.
  std::string PathOf(const Day& day) const { return alert::DailyPath(names_, day); }
  void Link(const std::string& target);

  Home home_;
  DailyFileNames names_;
  Day day_;
  std::optional<GroupFile> file_;
  std::string failure_;
};

}  // namespace ospatrol::analysisd
