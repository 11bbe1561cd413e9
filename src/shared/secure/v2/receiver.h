// Events of one agent in the order of their numbers, each once, whatever order and how often
// packets bring them.
//
// What comes too early is held (as it came, compressed), within a limit per agent and one for all.
// A packet whose events can neither be delivered nor held must not be acknowledged: the agent sends
// them again.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "secure/v2/batch_reader.h"

namespace ospatrol::secure::v2 {

// Where events go: the outlet towards analysisd.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Takes all of `events`, numbered from `first`, or (false) none: the queue is full. Views end
  // with the call.
  virtual bool Deliver(const SpoolId& spool, uint64_t first,
                       std::span<const std::string_view> events) = 0;
};

// Bytes that all receivers together hold. Thread-safe.
class HoldingBudget {
 public:
  explicit HoldingBudget(size_t limit) : limit_(limit) {}
  bool Take(size_t bytes);
  void TakeAnyway(size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void Give(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const size_t limit_;
  std::atomic<size_t> used_{0};
};

// Thread-compatible. Idle: about 100 bytes.
class Receiver {
 public:
  static constexpr size_t kMaxHeld = 1024 * 1024;  // bytes per agent

  explicit Receiver(HoldingBudget& budget) : budget_(&budget) {}
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  enum class Taken {
    kTaken,      // delivered, held, or known already
    kFull,       // the sink refused
    kNoRoom,     // too early, and nothing more can be held
    kMalformed,  // authentic, and yet wrong: nothing was taken
  };

  // The position at the start of a session: `stored` is what is known to be safe, `first` the
  // oldest event that the agent has (those before it are not ours to wait for). What was delivered
  // before for the same spool is not delivered again.
  void Begin(const SpoolId& spool, uint64_t stored, uint64_t first);

  Taken Take(const EventsFrame& frame, BatchReader& reader, EventSink& sink);
  Taken Take(const PartFrame& frame, BatchReader& reader, EventSink& sink);
  Taken Take(const GapFrame& frame, BatchReader& reader, EventSink& sink);
  // Delivers held events whose turn it is and that the sink refused before. False: it still
  // refuses.
  bool Drain(BatchReader& reader, EventSink& sink);

  // Everything up to `number` is safe. True when stored() rose.
  bool Stored(uint64_t number);

  const SpoolId& spool() const { return spool_; }
  uint64_t stored() const { return stored_; }
  uint64_t delivered() const { return expected_ - 1; }
  size_t held_bytes() const { return held_bytes_; }
  // Is there something for Drain?
  bool has_waiting() const;

 private:
  enum class Kind : uint8_t { kEvents, kParts, kGap };
  struct Held {
    Kind kind = Kind::kGap;
    Codec codec = Codec::kNone;  // kEvents
    uint16_t count = 0;
    uint16_t raw_length = 0;
    uint64_t next = 0;           // number behind the last event
    std::vector<uint8_t> bytes;  // kEvents: data of the frame; kParts: the event, as far as it came
    std::vector<std::pair<uint32_t, uint32_t>>
        present;  // kParts: [begin, end) that came, sorted, apart
  };

  bool MakeRoom(size_t bytes, bool anyway);
  Taken Hold(uint64_t first, Held held);
  bool DeliverHeld(uint64_t first, const Held& held, BatchReader& reader, EventSink& sink);
  void Skip(uint64_t next);
  void StepOverGaps();
  void Forget(std::map<uint64_t, Held>::iterator held);
  void ForgetAll();
  static size_t Cost(const Held& held);
  static bool IsWhole(const Held& held);

  HoldingBudget* budget_;
  SpoolId spool_{};
  uint64_t expected_ = 1;
  uint64_t stored_ = 0;
  std::map<uint64_t, Held> held_;  // by first number
  size_t held_bytes_ = 0;
  std::vector<GapFrame> gaps_;  // delivered() is beyond them, stored() is not yet
};

}  // namespace ospatrol::secure::v2
