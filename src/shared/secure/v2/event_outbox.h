// What of the spool has to go into the next datagram: lost events first, then new ones; batches,
// parts, gaps.
#pragma once

#include <optional>
#include <vector>

#include "secure/v2/agent_link.h"

namespace ospatrol::secure::v2 {

class EventOutbox {
 public:
  explicit EventOutbox(EventSource& source)
      : source_(source), next_(source.first()), sent_(source.next() - 1) {}

  // A session begins at event `from`: what was sent before counts as not sent.
  void Begin(uint64_t from, int64_t now_ms);
  // The source took a new id: its events were not sent under it.
  void Forget();
  void Added(int64_t now_ms, bool urgent);

  // Something to send now? `idle`: nothing is on its way. `room`: of a whole datagram.
  bool IsReady(int64_t now_ms, bool idle, size_t room) const;
  // When IsReady may turn true by itself; kNever when there is nothing to send.
  int64_t ready_at() const;
  // Would fill at least a datagram of this size.
  bool Fills(size_t room) const;

  void Put(FrameWriter& writer, Manifest& manifest, int64_t now_ms);
  void Lost(const Cargo& cargo);

  // The manager holds everything up to `number`. True when that is news.
  bool Stored(uint64_t number);

  bool has_again() const { return !again_.empty() || !parts_again_.empty() || part_.has_value(); }
  bool has_new() const { return next_ < source_.next(); }
  uint64_t acknowledged() const { return acknowledged_; }
  // Highest event that may ever have been sent.
  uint64_t sent() const { return sent_; }
  // Sent all, and the manager does not hold all of it yet.
  bool waits_for_stored() const { return !has_again() && !has_new() && acknowledged_ + 1 < next_; }

 private:
  struct Range {
    uint64_t first = 0;
    uint64_t next = 0;
  };
  struct Part {
    uint64_t number = 0;
    uint32_t offset = 0;
    uint32_t end = 0;  // 0: to the end of the event
  };
  enum class Step { kPut, kNoRoom, kNothing };

  Step PutOne(FrameWriter& writer, Manifest& manifest);
  Step PutLostPart(FrameWriter& writer, Manifest& manifest);
  Step PutPart(Part& part, FrameWriter& writer, Manifest& manifest);
  Step PutRange(Range range, FrameWriter& writer, Manifest& manifest);
  Step PutGap(Range gap, FrameWriter& writer, Manifest& manifest);
  // Empty too for what no frame can carry.
  std::optional<std::string_view> Event(uint64_t number);
  // The run of numbers from range.first on that the source does not have.
  Range Missing(Range range);
  void Done(Range range);
  void AddAgain(Range range);

  EventSource& source_;
  BatchBuilder batch_;
  uint64_t next_ = 1;  // first event that was not sent in this session
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
  std::vector<Range> again_;  // lost, sorted, apart
  std::vector<Part> parts_again_;
  std::optional<Part> part_;  // an event that goes in parts
  int64_t waiting_since_ms_ = kNever;
  uint64_t urgent_until_ = 0;  // events below are urgent
  double event_bytes_ = 120;   // average so far
};

}  // namespace ospatrol::secure::v2
