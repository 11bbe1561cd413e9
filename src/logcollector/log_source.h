// One log path: finds out what stands under it, follows it through rotation, and reads its
// generations in order.
//
// What can happen under a path, and what is done:
//   another inode            notice 591; the old generation is read to its end (and for kLinger
//   more, while its writer
//                            still has it open), then the new one from its beginning
//   shorter, or other bytes  notice 592; a copy made by copytruncate is finished if there is one;
//   then from 0 nothing                  the open generation goes on; once deleted for good and
//   settled it is closed
// After a restart the same is found out from the stored row (position_store.h).
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "config/sections.h"
#include "logcollector/file_watcher.h"
#include "logcollector/formats.h"
#include "logcollector/glance.h"
#include "logcollector/log_file.h"
#include "logcollector/notices.h"
#include "logcollector/position_store.h"
#include "logcollector/rotated_files.h"

namespace ospatrol::logcollector {

class LogSource;

// What a source needs of its surroundings.
class SourceHost {
 public:
  virtual ~SourceHost() = default;
  // There may be something to read.
  virtual void Wake(LogSource& source) = 0;
  // The path may lead to another file.
  virtual void Recheck(LogSource& source) = 0;
  // The other source that reads this file; nullptr when none does.
  virtual const LogSource* ReaderOf(const FileIdentity& identity, const LogSource& asking) = 0;
};

// One <localfile>.
struct Entry {
  config::LocalFileSection section;
  const Format* format = nullptr;
  // When an earlier run last looked after this entry: a file born later has never been read.
  std::optional<base::Seconds> seen_before;
};

class LogSource {
 public:
  static constexpr uint64_t kCatchUpLimit = uint64_t{100} << 20;  // bytes of one file
  static constexpr std::chrono::seconds kLinger{60};

  LogSource(std::string path, std::shared_ptr<const Entry> entry, PositionStore& store,
            Notices& notices, FileWatcher& watcher, SourceHost& host);

  const std::string& path() const { return path_; }
  const Entry& entry() const { return *entry_; }
  void SetEntry(std::shared_ptr<const Entry> entry) { entry_ = std::move(entry); }
  const Counters& counters() const { return *counters_; }

  // False: the path is no longer asked for; what is open is finished and nothing new is opened.
  void SetWanted(bool wanted, Clock::time_point now);
  bool wanted() const { return wanted_; }
  // True when each Check of the last `time` found nothing under the path.
  bool IsMissingFor(std::chrono::seconds time, Clock::time_point now) const {
    return missing_since_ && now - *missing_since_ >= time;
  }

  // First look. `at_start`: a file without stored position starts where <read_from> says, else at
  // its beginning.
  void Open(bool at_start, Clock::time_point now);
  // True when the path looks as it has looked for a while, and the looks since then left nothing to
  // do: neither Check nor Read would find anything. One system call; none when `place_is_same`,
  // which says that no name can have been added to its directory since the last call, and the file
  // was missing then.
  bool IsCalm(bool place_is_same, Clock::time_point now);
  // Looks at what stands under the path now.
  void Check(Clock::time_point now);
  // Reads at most `budget` bytes. Never kTruncated or kFailed: those are handled here.
  LogFile::Turn Read(Sink& sink, size_t budget, Clock::time_point now);
  // Once a second while HasPending: incomplete lines of quiet files, finished generations. True
  // when there is something to send.
  bool Tick(Clock::time_point now);
  bool HasPending() const;
  // Stores the positions.
  void Save(bool always);

  bool IsReading(const FileIdentity& identity) const;
  // Of all open generations, in their files and not yet read.
  uint64_t BytesWaiting() const;
  bool HasOpenFiles() const { return current_ || !retired_.empty(); }

 private:
  struct Generation {
    std::shared_ptr<LogFile> file;
    FileWatcher::Watch watch;
    bool present_facts = false;
    Clock::time_point retired_at{};
    bool drained = false;  // its end was seen once
  };

  // Rows of the path that an earlier run left.
  struct Stored {
    std::optional<StoredFile> current;
    std::vector<StoredFile> retired;
  };
  bool NeedsNothing(const Look& look) const;

  Stored LoadRows();
  void ResumeStoredGenerations(Clock::time_point now);
  bool OpenPath(bool at_start, Clock::time_point now);
  bool OpenRegular(base::Fd fd, const FileFacts& facts, bool at_start, Clock::time_point now);
  std::optional<Generation> Resume(base::Fd fd, const FileFacts& facts, StoredFile row);
  bool StartOver(base::Fd fd, const FileFacts& facts, StoredFile old, Clock::time_point now);
  bool StartFresh(base::Fd fd, const FileFacts& facts, bool from_end);
  std::optional<FoundFile> FindUnpacked(const StoredFile& old) const;
  void ReportGone(const StoredFile& old) const;
  std::optional<FoundFile> FindOld(const StoredFile& old, bool truncated) const;
  bool Promote(const FileIdentity& identity, Clock::time_point now);
  std::optional<StoredFile> Adopt(int fd, const FileFacts& facts);
  bool WasBornUnseen(const FileFacts& facts) const;

  void Rotate(base::Fd fd, const FileFacts& facts, Clock::time_point now);
  void Truncated(Generation& generation, Clock::time_point now);
  void CloseIfDeleted(Clock::time_point now);
  void Missing(int error);
  void ReportSameFile(const LogSource& other) const;

  StoredFile NewRow(int fd, const FileFacts& facts, uint64_t offset, bool inside = false) const;
  Generation Make(base::Fd fd, const FileFacts& facts, StoredFile row);
  void Retire(Generation generation, Clock::time_point now);
  void RetireAll(std::vector<FoundFile> files, Clock::time_point now);
  LogFile::Turn ReadGeneration(Generation& generation, Sink& sink, size_t budget,
                               Clock::time_point now);
  bool FinishIfDone(Generation& generation, Clock::time_point now);

  std::string path_;
  std::shared_ptr<const Entry> entry_;
  PositionStore& store_;
  Notices& notices_;
  FileWatcher& watcher_;
  SourceHost& host_;
  std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();

  bool wanted_ = true;
  bool start_at_end_ = true;  // until the path was seen missing: what comes then is new
  std::optional<Clock::time_point> missing_since_;
  int reported_error_ = 0;  // errno of the last complaint about the path
  bool reported_type_ = false;
  log::Limited<msg::kReadFailed> read_failures_;
  const LogSource* reported_same_ = nullptr;
  Glance glance_;
  bool dangling_ = false;           // when the last look found nothing: there is a link
  bool consistent_ = false;         // the last look found the current generation under the path
  std::deque<Generation> retired_;  // oldest first
  std::optional<Generation> current_;
};

}  // namespace ospatrol::logcollector
