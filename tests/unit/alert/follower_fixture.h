// A prefix with alert files, written as analysisd writes them.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "../temporary_directory.h"
#include "alert/alert_follower.h"
#include "alert/json_record.h"
#include "alert/text_record.h"
#include "base/files.h"
#include "sample_alerts.h"

namespace ospatrol::alert {

constexpr base::Seconds kNoon = 1715083200;  // 2024-05-07 12:00:00
constexpr base::Seconds kDayLength = 86400;
constexpr base::Day kMay7{2024, 4, 7};
constexpr base::Day kMay8{2024, 4, 8};
constexpr base::Day kMay9{2024, 4, 9};

class FollowerFixture : public ::testing::Test {
 protected:
  FollowerFixture() {
    UseSampleZone();
    std::filesystem::create_directories(home_ / kCursors);
    std::filesystem::create_directories(home_ / "queue/alerts/spool");
    std::filesystem::create_directories(home_ / "logs/alerts");
  }

  virtual AlertFollower::Source source() const { return AlertFollower::Source::kText; }
  DailyNames names() const {
    switch (source()) {
      case AlertFollower::Source::kJson:
        return kJsonFiles;
      case AlertFollower::Source::kSpool:
        return kSpoolFiles;
      case AlertFollower::Source::kText:
        break;
    }
    return kTextFiles;
  }

  static std::string Id(int number) { return "1715083200." + std::to_string(number); }

  std::string Record(int number, const std::string& text = "Failed password") const {
    Alert alert = BruteForce();
    alert.id = Id(number);
    alert.time = kNoon;
    alert.full_log = text;
    std::string out;
    if (source() == AlertFollower::Source::kJson) {
      AppendJsonRecord(alert, out);
    } else {
      AppendTextRecord(alert, out);
    }
    return out;
  }
  std::string Records(int first, int last) const {
    std::string out;
    for (int number = first; number <= last; ++number) out += Record(number);
    return out;
  }

  std::filesystem::path PathOf(const base::Day& day, int part = 0) const {
    return home_ / DailyPath(names(), day, part);
  }
  // Opens a day's file as analysisd does: the link leads to it afterwards.
  void OpenDay(const base::Day& day, int part = 0) const {
    std::filesystem::create_directories(PathOf(day).parent_path());
    std::ofstream(PathOf(day, part), std::ios::app | std::ios::binary).flush();
    if (names().link.empty()) return;
    const std::filesystem::path link = home_ / names().tree / names().link;
    std::filesystem::remove(link);
    std::filesystem::create_hard_link(PathOf(day, part), link);
  }
  void Append(const base::Day& day, std::string_view bytes, int part = 0) const {
    if (!std::filesystem::exists(PathOf(day, part))) OpenDay(day, part);
    std::ofstream(PathOf(day, part), std::ios::app | std::ios::binary) << bytes;
  }
  void Cut(const base::Day& day, uint64_t size) const {
    std::filesystem::resize_file(PathOf(day), size);
  }
  uint64_t Size(const base::Day& day) const { return std::filesystem::file_size(PathOf(day)); }
  void Compress(const base::Day& day, int part = 0) const {
    const std::string content = base::ReadFile(PathOf(day, part));
    const gzFile file = gzopen((PathOf(day, part).native() + ".gz").c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    std::filesystem::remove(PathOf(day, part));
  }

  AlertFollower Follower(int max_replay_days = AlertFollower::kDefaultReplayDays) const {
    return AlertFollower(home_, "maild", {source(), max_replay_days});
  }
  AlertFollower Started(base::Seconds now = kNoon) const {
    AlertFollower follower = Follower();
    follower.Start(now);
    return follower;
  }

  // Takes all that is there; confirms the last of it.
  static std::vector<std::string> Drain(AlertFollower& follower, base::Seconds now = kNoon,
                                        bool confirm = true) {
    std::vector<std::string> ids;
    Cursor last;
    while (const auto found = follower.Next(now)) {
      ids.push_back(found->alert.id);
      last = found->after;
    }
    if (confirm && !ids.empty()) {
      EXPECT_TRUE(follower.Confirm(last));
    }
    return ids;
  }
  static std::vector<std::string> Ids(int first, int last) {
    std::vector<std::string> ids;
    for (int number = first; number <= last; ++number) ids.push_back(Id(number));
    return ids;
  }
  std::string StoredCursor() const { return base::ReadFile(home_ / kCursors / "maild"); }

  TemporaryDirectory directory_;
  Home home_{directory_.path()};
};

}  // namespace ospatrol::alert
