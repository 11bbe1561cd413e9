// The rings of all composite rules: for each rule and tuple of its same_ values the events it
// remembers, oldest to newest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "analysisd/block_pool.h"
#include "analysisd/event_ring.h"
#include "analysisd/hash_index.h"
#include "analysisd/past_events.h"
#include "analysisd/text_hash.h"

namespace ospatrol::analysisd {

// What decides whether the rule fires is at the beginning: most questions need no more.
struct Ring {
  uint64_t oldest = 0;      // sequence number of the oldest event; REQUIRES: size > 0
  uint64_t used_until = 0;  // the newest event that a rule of this level or higher has used
  uint32_t size = 0;
  uint32_t counter = 0;  // number of the composite rule

  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_size_}; }
  // i = 0 is the newest. REQUIRES: i < size, no by_value.
  Past& FromNewest(uint32_t i) const { return *At(size - 1 - i).past; }
  uint64_t SequenceFromNewest(uint32_t i) const { return At(size - 1 - i).sequence; }
  // How many are newer than number `limit`. REQUIRES: no by_value. O(log size).
  uint32_t CountNewer(uint64_t limit) const;
  Past& Oldest() const { return *oldest_event_; }

  // A rule with one different_ test has its events here; used_until is of no use then.
  std::unique_ptr<EventRing> by_value;

 private:
  friend class RingTable;
  struct Place {
    uint64_t sequence;
    Past* past;
  };
  const Place& At(uint32_t i) const {  // 0 is the oldest
    const uint32_t place = first_ + i;
    return places_[place < room_ ? place : place - room_];
  }

  Past* oldest_event_ = nullptr;  // here too: it is fetched while the places still come
  Place* places_ = nullptr;       // in a circle of room_, from first_ on
  uint32_t first_ = 0;
  uint32_t room_ = 0;
  uint32_t key_size_ = 0;  // of the key's bytes, which follow this object
};

// Judging thread only. A ring stays where it is until it is erased.
class RingTable {
 public:
  // `pool` must outlive it.
  explicit RingTable(BlockPool& pool) : pool_(pool) {}
  ~RingTable();
  RingTable(const RingTable&) = delete;
  RingTable& operator=(const RingTable&) = delete;

  // nullptr: there is none.
  Ring* Find(uint32_t counter, std::string_view key) const {
    return Find(hash_(key, counter), counter, key);
  }
  // An added ring is empty.
  Ring& FindOrAdd(uint32_t counter, std::string_view key, bool by_value);
  // REQUIRES: the ring is empty.
  void Erase(Ring& ring);
  void Clear();

  // Adds the newest event. `value`: what the different_ test of a ring by_value compares. REQUIRES:
  // the ring has less than `most` events, and `most` is always the same.
  void Append(Ring& ring, Past& past, uint64_t sequence, std::string_view value, size_t most);
  // REQUIRES: not empty.
  Past& TakeOldest(Ring& ring);

  size_t size() const { return index_.size(); }
  // That the pool does not know of, roughly.
  size_t bytes() const { return index_.bytes() + valued_ * kBytesPerValued; }

 private:
  static constexpr size_t kBytesPerValued = 160;  // of an event by value: places and texts

  Ring* Find(uint64_t hash, uint32_t counter, std::string_view key) const {
    return index_.Find(
        hash, [&](const Ring& ring) { return ring.counter == counter && ring.key() == key; });
  }
  void Free(Ring& ring);
  void Widen(Ring& ring, size_t most);

  BlockPool& pool_;
  TextHash hash_;
  HashIndex<Ring> index_;
  size_t valued_ = 0;  // events in rings by_value
};

}  // namespace ospatrol::analysisd
