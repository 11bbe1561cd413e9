#include "analysisd/ring_table.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/random.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kLeastSlots = 64;

uint64_t RandomNumber() {
  uint64_t number = 0;
  const std::string bytes = base::RandomBytes(sizeof number);
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

__extension__ using Wide = unsigned __int128;

// Both halves of the product depend on all bits of both numbers.
uint64_t Mix(uint64_t a, uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

template <typename T>
uint64_t Load(const char* bytes) {
  T number;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

constexpr uint64_t kFactor = 0x9E3779B97F4A7C15;  // odd, its bits in no pattern

}  // namespace

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

RingTable::RingTable(BlockPool& pool) : pool_(pool), seed_(RandomNumber()), slots_(kLeastSlots) {}

RingTable::~RingTable() {
  for (const Slot& slot : slots_) {
    if (slot.ring != nullptr) Free(*slot.ring);
  }
}

uint64_t RingTable::Hash(uint32_t counter, std::string_view key) const {
  const char* bytes = key.data();
  size_t left = key.size();
  uint64_t hash = Mix(seed_ ^ counter, kFactor + left);
  for (; left > 8; left -= 8, bytes += 8) hash = Mix(hash ^ Load<uint64_t>(bytes), kFactor);
  uint64_t last = 0;
  if (left >= 4) {
    last = Load<uint32_t>(bytes) << 32 | Load<uint32_t>(bytes + left - 4);
  } else if (left > 0) {
    last = Load<uint8_t>(bytes) << 16 | Load<uint8_t>(bytes + left / 2) << 8 |
           Load<uint8_t>(bytes + left - 1);
  }
  return Mix(hash ^ last, seed_ | 1);
}

// Of the ring, or the free one where its search ends.
size_t RingTable::SlotOf(uint64_t hash, uint32_t counter, std::string_view key) const {
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.ring == nullptr) return i;
    if (slot.hash == hash && slot.ring->counter == counter && slot.ring->key() == key) return i;
  }
}

Ring* RingTable::Find(uint32_t counter, std::string_view key) const {
  return slots_[SlotOf(Hash(counter, key), counter, key)].ring;
}

Ring& RingTable::FindOrAdd(uint32_t counter, std::string_view key, bool by_value) {
  const uint64_t hash = Hash(counter, key);
  size_t place = SlotOf(hash, counter, key);
  if (slots_[place].ring != nullptr) return *slots_[place].ring;
  if ((size_ + 1) * 4 > slots_.size() * 3) {
    Resize(slots_.size() * 2);
    place = SlotOf(hash, counter, key);
  }
  Ring& ring = *std::construct_at(static_cast<Ring*>(pool_.Allocate(sizeof(Ring) + key.size())));
  ring.counter = counter;
  ring.key_size_ = static_cast<uint32_t>(key.size());
  if (!key.empty()) std::memcpy(reinterpret_cast<char*>(&ring + 1), key.data(), key.size());
  if (by_value) ring.by_value = std::make_unique<EventRing>();
  slots_[place] = {hash, &ring};
  ++size_;
  return ring;
}

void RingTable::Erase(Ring& ring) {
  const size_t mask = slots_.size() - 1;
  size_t gap = SlotOf(Hash(ring.counter, ring.key()), ring.counter, ring.key());
  Free(ring);
  // Those behind move up unless the gap lies before the place of their hash.
  for (size_t i = (gap + 1) & mask; slots_[i].ring != nullptr; i = (i + 1) & mask) {
    const size_t wanted = slots_[i].hash & mask;
    if (((i - wanted) & mask) < ((i - gap) & mask)) continue;
    slots_[gap] = slots_[i];
    gap = i;
  }
  slots_[gap] = {};
  --size_;
  if (slots_.size() > kLeastSlots && size_ * 8 < slots_.size()) Resize(slots_.size() / 2);
}

void RingTable::Resize(size_t slots) {
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots));
  const size_t mask = slots - 1;
  for (const Slot& slot : before) {
    if (slot.ring == nullptr) continue;
    size_t i = slot.hash & mask;
    while (slots_[i].ring != nullptr) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

void RingTable::Clear() {
  for (Slot& slot : slots_) {
    if (slot.ring != nullptr) Free(*slot.ring);
  }
  slots_.assign(kLeastSlots, {});
  size_ = valued_ = 0;
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
