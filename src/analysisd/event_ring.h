// The events that a composite rule with one different_ test remembers for one tuple of its same_
// values, and the question that is asked of them: how many count and have another value than the
// event at hand?
//
// That takes no walk. An event counts when it is newer than the time frame's limit and than the
// newest one that a rule of this level or higher has used. How many are newer than a limit follows
// from its place in the ring; how many of these have the same value as the event at hand follows
// from its place among the events of that value. Both are binary searches: O(log ring).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysisd/compact_queue.h"

namespace ospatrol::analysisd {

// What the owner of a ring remembers of an event derives from this.
struct PastEvent {};

// Judging thread only. Sequence numbers ascend from event to event.
class EventRing {
 public:
  // `value`: what the different_ test compares. `mark`: level of the rule that used the event, 0 =
  // none.
  void Add(PastEvent& past, uint64_t sequence, std::string_view value, int mark);
  // REQUIRES: not empty.
  void DropOldest();
  // A rule of `level` used the event. REQUIRES: it is in the ring.
  void AddMark(uint64_t sequence, int level);

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  PastEvent& oldest() const { return *entries_.front().past; }
  uint64_t oldest_sequence() const { return entries_.front().sequence; }

  // Events of another value than `value` that are newer than number `barrier` and than every mark
  // of `level` or more on such an event.
  size_t CountOthers(std::string_view value, uint64_t barrier, int level) const;
  // The newest of these, at most `limit`, newest first.
  void NewestOthers(std::string_view value, size_t limit, std::vector<PastEvent*>& found) const;

 private:
  // Sequence numbers of the events with one value, oldest first.
  using Value = CompactQueue<uint64_t>;
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Values = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;
  struct Entry {
    PastEvent* past;
    uint64_t sequence;
    Values::value_type* value;
    uint64_t run;  // number of the first event of the unbroken run of this value that it ends
  };
  struct Used {
    uint64_t sequence;
    int level;
    const Values::value_type* value;
  };

  size_t IndexAfter(uint64_t sequence) const;  // of the first newer event
  const Values::value_type* Find(std::string_view value) const;

  CompactQueue<Entry> entries_;  // oldest first
  Values values_;
  std::vector<Used> used_;  // marks that can still decide an answer
};

}  // namespace ospatrol::analysisd
