// Everything that analysisd writes for people: alerts.log, alerts.json, archives, firewall lines.
// Records collect in memory and go out as one write a file (a group), so that a group is seen whole
// and costs one system call.
//
// Nothing is given up: a file that cannot be written keeps its group, and the owner must stop
// adding to it until Flush() works again. Thread-compatible: one owner; Make...() may be called on
// any thread while nobody else calls SetOptions().
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alert/alert.h"
#include "alert/custom_record.h"
#include "analysisd/daily_file.h"
#include "analysisd/record_batch.h"
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

  // The number of the next alert's id: ids have the order of these calls.
  uint64_t ClaimNumber() { return next_number_++; }

  // What the options ask for, in `batch`. `alert` has its id meanwhile, and may be changed.
  void MakeAlert(alert::AlertView& alert, uint64_t number, RecordBatch& batch) const;
  // `log` is the text behind the header.
  void MakeArchive(const alert::AlertView& event, std::string_view log, RecordBatch& batch) const;
  void MakeFirewall(const alert::AlertView& event, RecordBatch& batch) const;
  bool WantsArchive() const { return options_.archives || options_.archives_json; }

  // What Flush() writes: records are made here, or taken from other batches.
  RecordBatch& pending() { return pending_; }
  const RecordBatch& pending() const { return pending_; }

  // Writes what is pending. False: some of it is still pending; failure() says where and why.
  bool Flush();
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
  bool IsWanted(OutputFile which) const;
  void OpenFiles(const Day& day);
  // Above all alert numbers of that day's file.
  uint64_t NumberAfter(const Day& day) const;
  void RemoveOldSpools(base::Seconds now) const;
  uint64_t* CounterOf(OutputFile which);

  Home home_;
  WriterOptions options_;
  std::optional<alert::CustomFormat> custom_;
  std::array<std::optional<DailyFile>, kOutputFiles> files_;
  Day day_;
  uint64_t next_number_ = 1;
  RecordBatch pending_;
  WriterCounters counters_;
  Failure failure_;
};

}  // namespace ospatrol::analysisd
