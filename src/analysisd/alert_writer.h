// Everything that analysisd writes for people: alerts.log, alerts.json, archives, firewall lines.
// Records collect in memory and go out as one write a file (a group), so that a group is seen whole
// and costs one system call.
//
// Nothing is given up: a file that cannot be written keeps its group, and the owner must stop
// adding to it until Flush() works again. Thread-compatible: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alert/alert.h"
#include "alert/custom_record.h"
#include "analysisd/daily_file.h"
#include "base/time.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

struct WriterOptions {
  bool alerts_json = false;        // <jsonout_output>
  bool archives = false;           // <logall>
  bool archives_json = false;      // <logall_json>
  bool geoip_in_json = false;      // analysisd.geoip_jsonout
  std::string custom_format = {};  // <custom_alert_output>; empty: the standard record
  int spool_days =
      7;  // with a custom format: days that the standard records are kept for consumers
};

struct WriterCounters {
  uint64_t alerts = 0, archives = 0, firewall = 0;
};

class AlertWriter {
 public:
  AlertWriter(const Home& home, WriterOptions options);

  // Opens the files of the day of `now`; alert numbers go on where today's file ends. Throws Error.
  void Open(base::Seconds now);
  // Reload. REQUIRES: nothing pending. Throws Error; then the options are as before.
  void SetOptions(WriterOptions options);

  // Claims the alert's id and takes its records. `alert` may be changed.
  void AddAlert(alert::Alert& alert);
  // Takes what the options ask for. `log` is the text behind the header.
  void AddArchive(const alert::Alert& event, std::string_view log);
  bool WantsArchive() const { return options_.archives || options_.archives_json; }
  void AddFirewall(const alert::Alert& event);

  // Writes what is pending. False: some of it is still pending; failure() says where and why.
  bool Flush();
  uint64_t pending() const { return pending_; }  // records not yet written
  size_t pending_bytes() const;
  // Of which files: what will be added to counters() by the next Flush that works.
  WriterCounters pending_records() const;

  struct Failure {
    std::string file, text;
  };
  const Failure& failure() const { return failure_; }

  // True when `now` lies on another day than the files, so that StartDay must come before the next
  // record. Days only go forward; a clock that was set back by more than a day is obeyed.
  bool IsNewDay(base::Seconds now) const;
  // REQUIRES: nothing pending. Throws Error; then the old files are used on.
  void StartDay(base::Seconds now);
  // Files that somebody deleted or moved away are made again. REQUIRES: nothing pending. Throws
  // Error.
  void ReopenDeleted();

  const WriterCounters& counters() const { return counters_; }

 private:
  enum Which { kAlerts, kAlertsJson, kSpool, kArchives, kArchivesJson, kFirewall, kFileCount };
  struct Output {
    std::optional<DailyFile> file;
    std::string pending;
    uint64_t records = 0;
  };

  bool IsWanted(Which which) const;
  void OpenFiles(const Day& day);
  // Above all alert numbers of that day's file.
  uint64_t NumberAfter(const Day& day) const;
  void RemoveOldSpools(base::Seconds now) const;
  uint64_t* CounterOf(Which which);
  void Took(Which which) {
    ++outputs_[which].records;
    ++pending_;
  }

  Home home_;
  WriterOptions options_;
  std::optional<alert::CustomFormat> custom_;
  std::array<Output, kFileCount> outputs_;
  Day day_;
  uint64_t next_number_ = 1;
  uint64_t pending_ = 0;
  WriterCounters counters_;
  Failure failure_;
};

}  // namespace ospatrol::analysisd
