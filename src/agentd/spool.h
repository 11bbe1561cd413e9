// The agent's spool (wire-protocol 10.8): every event is here before it is sent, and leaves when
// the manager has it. Bounded, in segment files; survives kill -9 and, up to the last Sync(), a
// crash of the machine.
//
// queue/spool/<16 hex digits of the first number>.seg holds records (spool_record.h). The last
// segment is appended to; a segment goes when all its events are acknowledged. Each segment begins
// with a snapshot of what the notes of earlier ones said (id of the spool, numbers of the senders,
// what is acknowledged), so that a start reads the last segment only. A damaged record ends its
// segment: what is behind it is lost and counted.
//
// Event numbers are never given twice under one id, as far as this program can know. A machine that
// crashed or was restored from a snapshot may have lost the end of its spool after a manager has
// seen it; Reconcile() finds that out from what the manager says and gives the spool another id. A
// start with nothing waiting takes another id, too: this may be a copy of a machine that runs.
//
// Cost: an append is one write; an event that is read in order costs a part of a read of 32 KiB.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agentd/segment_reader.h"
#include "agentd/sender_table.h"
#include "agentd/spool_record.h"
#include "base/fd.h"

namespace ospatrol::agentd {

class Spool {
 public:
  struct Limits {
    uint64_t bytes = uint64_t{256} << 20;
    uint64_t segment = uint64_t{8} << 20;
    bool drop_oldest = false;  // make room by giving up the oldest events
  };
  // Segments small enough that `bytes` holds at least four.
  static Limits LimitsOf(uint64_t bytes, bool drop_oldest);

  // Opens or creates the spool in an existing directory. Throws Error.
  Spool(std::filesystem::path directory, Limits limits, int64_t now_ms);
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  const SpoolId& id() const { return id_; }
  uint64_t first() const { return acknowledged_ + 1; }  // the first event not acknowledged
  uint64_t next() const { return next_; }               // what the next event will get
  bool IsEmpty() const { return first() >= next_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t dropped() const { return dropped_; }  // by drop_oldest, since the start
  uint64_t damaged() const { return damaged_; }  // lost to damaged records, since the start
  void SetLimits(Limits limits) { limits_ = limits; }

  enum class Outcome {
    kStored,
    kFull,
    kFailed,  // the disk says no; errno says why
  };
  // Stores all events or none. With `mark`: the number of the last of them at their sender. An
  // event above kMostRecordMessage is cut.
  Outcome Append(std::span<const std::string_view> events, int64_t now_ms,
                 const std::optional<SenderNote>& mark = std::nullopt);
  // One event that may exceed the limit: the notice that the spool is full.
  Outcome AppendBeyondLimit(std::string_view event, int64_t now_ms);
  // Enough of a full spool is free again, so that its owner may take events.
  bool HasRoom() const { return bytes_ + limits_.segment / 2 <= limits_.bytes; }

  uint64_t LastNumber(const ipc::SenderId& sender) const { return senders_.Last(sender); }

  struct Event {
    uint64_t number = 0;
    int64_t time_ms = 0;
    std::string_view message;  // valid until the next call of a non-const method
  };
  // The first event with at least `number`; nothing behind the last one.
  std::optional<Event> Read(uint64_t number);
  // What reading in order keeps in memory, when there is nothing more to read.
  void TrimMemory();

  // All events up to `number` need not be kept.
  void Acknowledge(uint64_t number);
  // Lets a kill -9 remember what is acknowledged. False: the disk says no.
  bool SaveAcknowledged(int64_t now_ms);

  // A receiver says that it has the events of id() up to `stored`. True: they are acknowledged.
  // False: that cannot be of this spool as it is now; it has a new id(), and no event is given up
  // that the receiver may not have.
  bool Reconcile(uint64_t stored, int64_t now_ms);
  // Another id for the same events.
  void Renew(int64_t now_ms);
  // A receiver knows none of the events that came since the start: later acknowledgements are of
  // this spool as it is.
  void Confirm(int64_t now_ms);

  // What was appended survives a crash of the machine. False: the disk says no.
  bool Sync();
  bool IsDirty() const { return dirty_; }

 private:
  struct Checkpoint {
    uint64_t number, offset;
  };
  struct Segment {
    uint64_t first = 0;  // number that its first event has or will have
    uint64_t size = 0;   // bytes of valid records
    std::vector<Checkpoint> checkpoints;
  };
  struct Recovered {
    bool has_head = false;
    uint64_t next = 0, valid_end = 0;  // behind the last event, the last complete run
  };

  std::filesystem::path PathOf(const Segment& segment) const;
  void FindSegments();
  void Recover(int64_t now_ms);
  Recovered ScanLast();
  void TakeNote(const Record& record);
  void Continue(uint64_t valid_end);
  void BeginUncertainty(int64_t now_ms);
  void TakeNewId(int64_t now_ms);

  bool BeginSegment(int64_t now_ms);
  std::string Snapshot(int64_t now_ms) const;
  void DropFront();
  void DropAcknowledged();
  bool MakeRoom(uint64_t bytes, int64_t now_ms);
  bool Write(std::string_view bytes);
  void Encode(std::span<const std::string_view> events, int64_t now_ms,
              const std::optional<SenderNote>& mark);
  Outcome StoreEncoded(size_t events, int64_t now_ms);
  bool WriteNote(const Note& note, int64_t now_ms);
  bool CutEnd();
  static void ShortenTo(Segment& segment, uint64_t end);
  static void NoteCheckpoint(Segment& segment, uint64_t number, uint64_t offset);

  size_t SegmentOf(uint64_t number) const;
  bool PlaceReader(Segment& segment, uint64_t number);
  std::optional<Event> ReadIn(size_t index, uint64_t number);
  void EndAtDamage(size_t index);

  std::filesystem::path directory_;
  Limits limits_;
  SpoolId id_{};
  uint64_t next_ = 1;
  uint64_t acknowledged_ = 0, saved_acknowledged_ = 0;
  uint64_t uncertain_ = 0;
  uint64_t bytes_ = 0, dropped_ = 0, damaged_ = 0;
  SenderTable senders_;

  std::deque<Segment> segments_;  // at least one; the last is appended to
  base::Fd active_;
  bool dirty_ = false, directory_dirty_ = false;
  bool disk_full_ = false;  // or fails: the last event could not be written
  std::string scratch_;

  SegmentReader reader_;
  uint64_t reader_segment_ = 0;  // its first number
  uint64_t reader_next_ = 0;     // number that is expected next
};

}  // namespace ospatrol::agentd
