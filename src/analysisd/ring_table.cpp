#include "analysisd/ring_table.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace ospatrol::analysisd {
uint32_t Ring::CountNewer(uint64_t limit) const {
  uint32_t low = 0;
  uint32_t high = size;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (At(middle).sequence > limit) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return size - low;
}

RingTable::~RingTable() { Clear(); }

Ring& RingTable::FindOrAdd(uint32_t counter, std::string_view key, bool by_value) {
  const uint64_t hash = hash_(key, counter);
  if (Ring* const found = Find(hash, counter, key)) return *found;
  Ring& ring = *std::construct_at(static_cast<Ring*>(pool_.Allocate(sizeof(Ring) + key.size())));
  ring.counter = counter;
  ring.key_size_ = static_cast<uint32_t>(key.size());
  if (!key.empty()) std::memcpy(reinterpret_cast<char*>(&ring + 1), key.data(), key.size());
  if (by_value) ring.by_value = std::make_unique<EventRing>();
  index_.Add(hash, ring);
  return ring;
}

void RingTable::Erase(Ring& ring) {
  index_.Erase(hash_(ring.key(), ring.counter), ring);
  Free(ring);
}

void RingTable::Clear() {
  index_.ForEach([this](Ring& ring) { Free(ring); });
  index_.Clear();
  valued_ = 0;
}

void RingTable::Free(Ring& ring) {
  if (ring.room_ > 0) pool_.Free(ring.places_, ring.room_ * sizeof(Ring::Place));
  const size_t bytes = sizeof(Ring) + ring.key_size_;
  std::destroy_at(&ring);
  pool_.Free(&ring, bytes);
}

void RingTable::Append(Ring& ring, Past& past, uint64_t sequence, std::string_view value,
                       size_t most) {
  if (ring.size == 0) {
    ring.oldest = sequence;
    ring.oldest_event_ = &past;
  }
  if (ring.by_value != nullptr) {
    ring.by_value->Add(past, sequence, value, past.mark);
    ++valued_;
  } else {
    if (ring.size == ring.room_) Widen(ring, most);
    const uint32_t place = ring.first_ + ring.size;
    std::construct_at(&ring.places_[place < ring.room_ ? place : place - ring.room_],
                      Ring::Place{sequence, &past});
  }
  ++ring.size;
}

// Rings that are full lose an event before they get one, so this ends at what a rule needs.
void RingTable::Widen(Ring& ring, size_t most) {
  const size_t wider = ring.room_ + std::max(1u, ring.room_ / 2);
  const auto room = static_cast<uint32_t>(std::min(wider, most));
  auto* const places = static_cast<Ring::Place*>(pool_.Allocate(room * sizeof(Ring::Place)));
  for (uint32_t i = 0; i < ring.size; ++i) std::construct_at(&places[i], ring.At(i));
  if (ring.room_ > 0) pool_.Free(ring.places_, ring.room_ * sizeof(Ring::Place));
  ring.places_ = places;
  ring.first_ = 0;
  ring.room_ = room;
}

Past& RingTable::TakeOldest(Ring& ring) {
  Past& past = *ring.oldest_event_;
  --ring.size;
  if (ring.by_value != nullptr) {
    ring.by_value->DropOldest();
    --valued_;
    if (ring.size == 0) return past;
    ring.oldest = ring.by_value->oldest_sequence();
    ring.oldest_event_ = &static_cast<Past&>(ring.by_value->oldest());
  } else {
    if (++ring.first_ == ring.room_) ring.first_ = 0;
    if (ring.size == 0) return past;
    ring.oldest = ring.At(0).sequence;
    ring.oldest_event_ = ring.At(0).past;
  }
  return past;
}

}  // namespace ospatrol::analysisd
