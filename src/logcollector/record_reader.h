// What every log format is to the rest of the collector: a state machine that turns the bytes of a
// file into events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ipc/queue_message.h"

namespace ospatrol::logcollector {

// One event. The views are valid until the next call of the reader.
struct Record {
  ipc::Kind kind = ipc::Kind::kLog;
  std::string_view text;
  uint64_t end = 0;        // file offset behind the event's last byte
  std::string_view state;  // with `end`: where a new reader can go on
  size_t whole_size = 0;   // bytes of the event before it was cut to the format's limit
  bool cut = false;
};

// Where a reader can begin.
struct Start {
  uint64_t offset = 0;
  std::string state;
};

// Pure: no I/O, no clock. The events are a function of the bytes, of the offset and state given to
// Resume and of where Flush was called; how the bytes were split over Append calls never changes
// them. That is what lets a restarted collector give each event the number that it had before.
//
// Pull: Append bytes, then call Next until it says false. Bytes not asked for yet stay in the
// reader.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // The place at or shortly before `offset` to begin at in a file of which nothing but the first
  // bytes is known. `inside`: the offset may lie inside an event, whose rest is to be skipped.
  virtual Start StartAt(uint64_t offset, std::string_view head, bool inside) const = 0;

  // Forgets everything. The next byte appended stands at `offset`; `state` is "" or what a Record
  // (or boundary_state) said together with that offset.
  virtual void Resume(uint64_t offset, std::string_view state) = 0;

  virtual void Append(std::string_view bytes) = 0;
  virtual bool Next(Record& record) = 0;

  // True when Flush would complete an event.
  virtual bool HasPartial() const = 0;
  // Takes what is there of the present event as a whole one: Next gives it. REQUIRES: Next said
  // false.
  virtual void Flush() = 0;

  // Offset behind the last byte that was looked at: where Flush cuts.
  virtual uint64_t consumed() const = 0;
  // The last place where Resume can go on without losing or repeating anything.
  virtual uint64_t boundary() const = 0;
  virtual std::string_view boundary_state() const = 0;
};

}  // namespace ospatrol::logcollector
