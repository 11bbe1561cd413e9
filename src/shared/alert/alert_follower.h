// Reads the alert log for one consumer (mail, syslog, database, webhooks), so that none is lost:
// not while the consumer is down, not at midnight, not when the log is rotated or compressed
// (outputs-and-response 13.1, 3.6).
//
// The consumer asks Next() for alerts, hands each over, and then confirms it: only that moves the
// cursor on disk. Killed in between, it gets what it had not confirmed again. So every alert comes
// at least once, in the order of the file; after a kill some come twice, with the same id.
//
//   follower.Start(now);
//   while (auto alert = follower.Next(now)) {
//     if (!Deliver(*alert)) { follower.Rewind(); break; }
//     follower.Confirm(alert->after);            // or once for a batch, with its last one
//   }
//
// How a day is left: the file of a day is final as soon as a later one exists, because analysisd
// writes what is pending before it opens that. So the later file is looked for first, then the rest
// of the old one is read, then the follower goes on at the later one's beginning.
//
// Cost: O(bytes) with one read(2) a quarter MiB; at most twice kMaxRecord bytes of memory (a longer
// record is left out). Start scans the cursor's day only when the alert before the cursor is not
// there any more.
//
// Thread-compatible: one owner. Nothing waits: the owner sleeps on AlertWakeUp, or 5 seconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "alert/alert.h"
#include "alert/alert_files.h"
#include "alert/alert_record.h"
#include "alert/cursor.h"
#include "alert/day_log.h"
#include "base/time.h"
#include "log/log.h"
#include "product/paths.h"

namespace ospatrol::alert {

struct FollowedAlert {
  // Text forms: all that the record says (ParseTextRecord). kJson: id and time.
  Alert alert;
  std::string record;  // its bytes, as they stand in the file
  Cursor after;        // for Confirm
};

// What a consumer has not confirmed yet, of the files that exist.
struct Lag {
  uint64_t alerts = 0;
  bool more = false;          // only the nearest were counted: there are more
  base::Seconds seconds = 0;  // age of the first of them
};

class AlertFollower {
 public:
  enum class Source {
    kText,   // logs/alerts/alerts.log
    kSpool,  // queue/alerts/spool: the same records, when <custom_alert_output> is set
    kJson,   // logs/alerts/alerts.json
  };
  static constexpr int kDefaultReplayDays = 7;

  struct Options {
    Source source = Source::kText;
    int max_replay_days = kDefaultReplayDays;  // outputs.max_replay_days; 0: begin at now
  };

  // `name`: the consumer's, as CursorNames gave it.
  AlertFollower(const Home& home, std::string_view name, const Options& options);

  // Finds the place to go on. Without a cursor: the end of the present file, and a cursor is
  // written. One line in the log says when alerts were left out or may come again. Throws Error
  // when the cursor cannot be read or written.
  void Start(base::Seconds now);

  // The next alert, or nothing: there is none yet. REQUIRES: Start().
  std::optional<FollowedAlert> Next(base::Seconds now);

  // Everything up to `after` is handed over: the cursor is on disk when this returns true. False:
  // it cannot be written (logged once a minute); confirm again later, or with the next one.
  bool Confirm(const Cursor& after);

  // What was not confirmed comes again from Next().
  void Rewind();

  // Counts at most a few MiB.
  Lag MeasureLag(base::Seconds now);

  const Cursor& confirmed() const { return confirmed_; }
  uint64_t broken() const { return broken_; }  // records that could not be read

 private:
  enum class Step { kAgain, kEnd };

  bool OpenDay(const base::Day& day);
  void StartAtEnd(base::Seconds now);
  // Goes where `cursor` says; scans its day when that is not the place.
  void Locate(const Cursor& cursor);
  bool StandsAt(const Cursor& cursor);
  bool ScanFor(const std::string& id);
  void LocateAgain();
  void GoTo(const base::Day& day, uint64_t offset);

  Step Fill(base::Seconds now);
  bool ReadMore();
  std::optional<FollowedAlert> Take();
  void Skip(size_t length);
  void SkipBroken(size_t length);
  void DropOversized();
  Step AtEnd(base::Seconds now);
  std::optional<base::Day> NextDay(base::Seconds now) const;
  std::optional<base::Day> EarlierCurrentDay(base::Seconds now) const;
  void LeaveFor(const base::Day& day);
  void RememberEnds(base::Seconds now);
  bool WasOverwritten();

  std::string_view Buffered() const { return std::string_view(buffer_).substr(head_); }
  uint64_t Position() const { return base_ + head_; }
  std::string NameOf(const base::Day& day) const { return DailyPath(names_, day); }

  Home home_;
  Options options_;
  DailyNames names_;
  RecordForm form_;
  CursorStore store_;

  Cursor confirmed_;         // on disk
  Cursor taken_;             // behind the last alert that Next gave
  uint64_t last_begin_ = 0;  // where that alert begins, when taken_.id is not empty

  base::Day day_;
  std::optional<DayLog> log_;  // of day_; nothing while it has no file
  std::string buffer_;         // bytes from base_ on; those before head_ are done
  size_t head_ = 0;
  uint64_t base_ = 0;
  bool in_oversized_ = false;             // the rest of a line is being skipped
  std::optional<base::Day> leaving_for_;  // a later file exists
  // Where older days were left: a clock that is set back makes analysisd append to one of them.
  std::map<base::Day, uint64_t> left_at_;
  uint64_t broken_ = 0;

  log::Limited<msg::kCursorNotWritten> cursor_error_;
  log::Limited<msg::kAlertRecordBroken> broken_warning_;
  log::Limited<msg::kAlertLogUnreadable> read_error_;
};

}  // namespace ospatrol::alert
