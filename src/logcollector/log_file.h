// One generation of a log file, open: reads it, gives its events their numbers, knows what of it is
// acknowledged.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "log/log.h"
#include "logcollector/file_facts.h"
#include "logcollector/position_store.h"
#include "logcollector/record_reader.h"
#include "logcollector/sink.h"

namespace ospatrol::logcollector {

using Clock = std::chrono::steady_clock;

// Of one configured path, over all generations, since the program started.
struct Counters {
  uint64_t lines = 0;
  uint64_t bytes = 0;
  uint64_t cut_lines = 0;
  uint64_t lost_lines = 0;
  uint64_t skipped_bytes = 0;
  std::string last_error;
};

class LogFile final : public Producer, public std::enable_shared_from_this<LogFile> {
 public:
  enum class Turn {
    kIdle,       // at the end
    kMore,       // the budget is used up
    kBlocked,    // the sink is full
    kTruncated,  // the content that was being read is gone
    kFailed,     // read error: open the path again
  };

  static constexpr size_t kBlock = size_t{64} * 1024;
  static constexpr std::chrono::seconds kQuiet{5};  // after it an incomplete line is sent as it is

  // Goes on at `row.position`. REQUIRES: the row is stored, or (FIFO) has id 0 and position 0.
  LogFile(base::Fd fd, const FileFacts& facts, StoredFile row, std::unique_ptr<RecordReader> reader,
          PositionStore& store, std::shared_ptr<Counters> counters);

  // Reads at most `budget` bytes, a little more for events that the sink had refused before.
  Turn Read(Sink& sink, size_t budget, Clock::time_point now);

  // True when the file is shorter than what was read of it, or begins with other bytes.
  bool WasTruncated();

  // Commits a cut behind an incomplete line; the next Read sends it.
  void FlushPartial();
  // FlushPartial when the file has not grown for kQuiet. True when there is now something to send.
  bool FlushIfQuiet(Clock::time_point now);

  // The content is gone: only what is in memory can still be sent.
  void Abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }
  // The content stands, byte for byte, in another file: go on there.
  void ContinueIn(base::Fd fd, const FileFacts& facts);

  // Read to the end, everything acknowledged.
  bool IsSettled() const;
  // An incomplete line may become due, or the row is to be stored.
  bool HasPending() const { return changed_ || reader_->HasPartial(); }
  Clock::time_point last_growth() const { return last_growth_; }

  const StoredFile& row() const { return row_; }
  const FileIdentity& identity() const { return row_.identity; }
  bool is_fifo() const { return fifo_; }
  int fd() const { return fd_.get(); }
  uint64_t read_offset() const { return read_offset_; }
  // In the file and not yet read; 0 for a FIFO.
  uint64_t bytes_waiting() const;

  // The row as it should be stored now.
  StoredFile Snapshot() const;
  void SetPhase(StoredFile::Phase phase) {
    changed_ = changed_ || phase != row_.phase;
    row_.phase = phase;
  }
  // Stores the row when it changed since the last time, or when `always`.
  void Save(bool always = false);

  void Taken(const Position& position) override;
  void Rewind() override;

 private:
  // Gives the sink all complete events in memory. False when it is full.
  bool Drain(Sink& sink);
  bool OfferNext(Sink& sink, const Record& record);
  bool OfferPending(Sink& sink);
  Turn ReadBlock(size_t budget, Clock::time_point now);
  size_t BytesToNextCut(size_t limit) const;
  void RememberHead(std::string_view bytes);
  Position SafePosition() const;
  bool CanReadAgain() const { return !fifo_ && !abandoned_; }

  struct Pending {
    Position after;
    std::string message;
  };

  base::Fd fd_;
  StoredFile row_;  // position = acknowledged
  std::unique_ptr<RecordReader> reader_;
  PositionStore& store_;
  std::shared_ptr<Counters> counters_;
  const bool fifo_;

  std::string prefix_;  // "1:LOCATION:" of kind prefix_kind_
  ipc::Kind prefix_kind_ = ipc::Kind::kLog;
  std::string message_;  // reused
  std::string head_;     // first bytes of the content
  uint64_t read_offset_ = 0;
  uint64_t number_ = 0;  // of the last event offered or pending
  size_t next_cut_ = 0;  // index into row_.cuts
  std::optional<Pending> pending_;
  bool idle_ = false;
  bool abandoned_ = false;
  bool changed_ = false;  // since the last Save
  Clock::time_point last_growth_{};
  log::Limited<msg::kLargeMessage> large_;
};

}  // namespace ospatrol::logcollector
