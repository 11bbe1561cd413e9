// How far each log file has been read, on disk: queue/logcollector/state.db
// (collection-and-integrity 11.1).
//
// Exactly once, also across kill -9 of the collector
// --------------------------------------------------
// The receiver of queue/ospatrol/stream remembers the highest event number of each sender and skips
// what it already has. So a restarted collector may send events again, as long as each has the
// sender and number that it had before. Both are made functions of what is on disk:
//
// * Each generation of a file (an inode's content between two truncations) is a sender of its own,
// with a random id.
//   The row with the id is committed before the first event goes out.
// * An event's number is its ordinal in the generation. A row holds (offset, number of the last
// event before it, reader
//   state) of a place up to which everything was acknowledged. Reading on from there gives the same
//   events the same numbers, because a RecordReader is a pure function of bytes, offset and state
//   ...
// * ... and of forced cuts: an incomplete line that was sent after 5 s of quiet. Each cut is
// committed, as (file,
//   offset), before its event goes out; reading stops at it and cuts there again.
// * Whatever breaks the chain (skipping ahead, another format for the same file, a truncated file)
// begins a new
//   generation with a new sender id. Unacknowledged events of the old one are read again from its
//   descriptor or, after a restart, from where rotation has put it, under its own id.
// * The collector's own notices (rotation, keep-alive) have one sender, a durable counter, and are
// kept as text until
//   they are acknowledged.
//
// Acknowledged positions are written at most once a second: a late row only means more to read
// again. SQLite in WAL mode keeps every commit across a kill of the process; a crash of the whole
// system may lose the last ones, but never a cut, which is synced: without it a line that was sent
// in two pieces would be sent again as one.
//
// Every method logs a failure (at most once a minute) and returns false or nothing: the caller
// tries again later.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sqlite.h"
#include "base/time.h"
#include "ipc/frame.h"
#include "log/log.h"
#include "logcollector/file_facts.h"

namespace ospatrol::logcollector {

// A place in a file between two events.
struct Position {
  uint64_t offset = 0;
  uint64_t number = 0;  // of the last event that ends at or before `offset`; 0 = none
  std::string state;    // of the reader
};

// One generation of a file.
struct StoredFile {
  enum class Phase {
    kCurrent = 0,  // what `path` was when last seen
    kRetired = 1,  // rotated away, perhaps not read to its end
    kDone = 2,     // read to its end; kept to recognise the file under another name
  };

  int64_t id = 0;  // 0 = not stored yet
  std::string path;
  std::string entry;   // <location> that led to it
  std::string reader;  // name of the RecordReader
  ipc::SenderId sender{};
  FileIdentity identity;
  Position position;        // everything before it is acknowledged
  uint64_t partial = 0;     // bytes read behind `position`
  size_t head_length = 0;   // bytes that head_digest covers, at most kHeadSize
  std::string head_digest;  // SHA-256, hex
  int64_t modified_ns = 0;
  Phase phase = Phase::kCurrent;
  std::vector<uint64_t> cuts;  // offsets, ascending
};

struct StoredNotice {
  uint64_t number = 0;
  std::string location;
  std::string text;
};

class PositionStore {
 public:
  // Opens or creates. Throws Error.
  explicit PositionStore(const std::filesystem::path& file);

  // Runs `work` in one transaction; a call inside a call is a part of it. Undone when `work` says
  // false or fails.
  bool Atomically(const std::function<bool()>& work);

  // Ascending by id.
  std::vector<StoredFile> FindByPath(std::string_view path);
  std::vector<StoredFile> FindByInode(uint64_t inode);
  // Files that are still to be read to their end and belong to `entry`.
  std::vector<StoredFile> FindUnfinished(std::string_view entry);

  // Sets `file.id`.
  bool Insert(StoredFile& file);
  // Everything but sender, reader and cuts; cuts up to the position are forgotten.
  bool Update(const StoredFile& file);
  bool AddCut(int64_t id, uint64_t offset);
  bool Delete(int64_t id);

  // Id and counter of the collector's own notices, made at the first start.
  const ipc::SenderId& notice_sender() const { return notice_sender_; }
  std::vector<StoredNotice> LoadNotices();
  // Takes the next number. Nothing on failure.
  std::optional<StoredNotice> AddNotice(std::string_view location, std::string_view text);
  bool DeleteNoticesUpTo(uint64_t number);

  // When a collector last looked at `entry`; nothing when none ever did.
  std::optional<base::Seconds> EntrySeen(std::string_view entry);
  bool MarkEntrySeen(std::string_view entry, base::Seconds now);

  // Forgets generations that nothing has touched for kKeep.
  static constexpr base::Seconds kKeep = 30 * 86400;
  bool Purge(base::Seconds now);

 private:
  bool Try(const std::function<bool()>& work);
  std::vector<StoredFile> Select(base::Statement& query);

  base::Database database_;
  int depth_ = 0;
  ipc::SenderId notice_sender_{};
  log::Limited<msg::kCollectorStateFailed> failures_;
};

// 16 random bytes.
ipc::SenderId NewSenderId();

}  // namespace ospatrol::logcollector
