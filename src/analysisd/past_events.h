// The events that composite rules may still count, in the order they came.
//
// An event is two blocks of memory. Past, half a cache line, is what changes when a ring drops the
// event: these lie side by side, so the many drops stay within a small part of memory. What is read
// only when a rule fires or the state is saved (text, values) lies elsewhere and is not touched by
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "analysisd/block_pool.h"
#include "analysisd/event.h"
#include "analysisd/event_ring.h"

namespace ospatrol::analysisd {

struct Ring;

// A value of an event that a different_ test compares.
struct PastValue {
  uint32_t position;  // in the correlator's list of compared values
  std::string_view text;
};

// One remembered event. An event that several rules count is one object: the mark that says "used
// by a rule of level L" belongs to the event.
class Past : public PastEvent {
 public:
  static constexpr size_t kMostRings = UINT16_MAX;

  int16_t mark = 0;         // level of the highest rule that used it
  uint16_t rings_left = 0;  // that still hold it

  base::Seconds time() const { return record_->time; }
  uint64_t sequence() const { return record_->sequence; }
  const Rule& rule() const { return *record_->rule; }  // its final one
  Category category() const { return record_->category; }
  std::string_view full_log() const;
  // Tells the processor that the text will be asked for. Changes nothing.
  void Prefetch() const {
    const auto* const bytes = reinterpret_cast<const char*>(record_);
    for (uint32_t i = 0; i < record_size_ && i < kPrefetched; i += kLine) {
      __builtin_prefetch(bytes + i);
    }
  }
  // Those it was put into, also when they have dropped it since.
  std::span<Ring* const> rings() const;
  // Unset when it is not kept.
  std::string_view Value(size_t position) const;

  const Past* newer() const { return newer_; }

 private:
  friend class PastEvents;
  struct KeptValue {
    uint32_t position;
    uint32_t end;  // in the bytes behind full_log
  };
  // Followed by the rings, the values' places, full_log and the values.
  struct Record {
    base::Seconds time;
    uint64_t sequence;
    const Rule* rule;
    uint32_t log_size;
    uint32_t ring_count;
    uint32_t value_count;
    Category category;
  };
  static constexpr uint32_t kLine = 64;
  static constexpr uint32_t kPrefetched = 4 * kLine;

  std::span<const KeptValue> Values() const;
  const char* Bytes() const;  // of full_log and values

  uint32_t record_size_ = 0;  // kept here: to free a record it need not be read
  Past* newer_ = nullptr;
  Past* older_ = nullptr;
  Record* record_ = nullptr;
};

// Judging thread only.
class PastEvents {
 public:
  struct Facts {
    base::Seconds time = 0;
    uint64_t sequence = 0;  // ascends from event to event
    const Rule* rule = nullptr;
    Category category = Category::kSyslog;
    int mark = 0;
    std::string_view full_log;
  };

  // `pool` must outlive it.
  explicit PastEvents(BlockPool& pool) : pool_(pool) {}
  ~PastEvents();
  PastEvents(const PastEvents&) = delete;
  PastEvents& operator=(const PastEvents&) = delete;

  // Copies what it is given. rings_left is the number of rings.
  // REQUIRES: at most kMostRings.
  Past& Add(const Facts& facts, std::span<const PastValue> values, std::span<Ring* const> rings);
  void Remove(Past& past);

  Past* oldest() const { return oldest_; }  // nullptr: there is none
  size_t size() const { return size_; }

 private:
  BlockPool& pool_;
  Past* oldest_ = nullptr;
  Past* newest_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ospatrol::analysisd
