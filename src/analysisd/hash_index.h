// Finds objects by a hash: one array of hashes and pointers, so a search touches a line of it and
// the object it is for. The objects belong to somebody else and stay where they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ospatrol::analysisd {

template <typename T>
class HashIndex {
 public:
  // The object of this hash for which `is_same` holds; nullptr: there is none.
  template <typename IsSame>
  T* Find(uint64_t hash, const IsSame& is_same) const {
    for (size_t i = hash & mask();; i = (i + 1) & mask()) {
      const Slot& slot = slots_[i];
      if (slot.item == nullptr || (slot.hash == hash && is_same(*slot.item))) return slot.item;
    }
  }

  // REQUIRES: it is not there yet.
  void Add(uint64_t hash, T& item) {
    if ((size_ + 1) * 4 > slots_.size() * 3) Resize(slots_.size() * 2);
    ++size_;
    Place({hash, &item});
  }

  // REQUIRES: it is there.
  void Erase(uint64_t hash, const T& item) {
    size_t gap = hash & mask();
    while (slots_[gap].item != &item) gap = (gap + 1) & mask();
    // Those behind move up unless the gap lies before the place of their hash.
    for (size_t i = (gap + 1) & mask(); slots_[i].item != nullptr; i = (i + 1) & mask()) {
      if (((i - slots_[i].hash) & mask()) < ((i - gap) & mask())) continue;
      slots_[gap] = slots_[i];
      gap = i;
    }
    slots_[gap] = {};
    --size_;
    if (slots_.size() > kLeastSlots && size_ * 8 < slots_.size()) Resize(slots_.size() / 2);
  }

  // `visit` may end the object's life when the index is cleared before it is used again.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.item != nullptr) visit(*slot.item);
    }
  }
  void Clear() { *this = HashIndex(); }

  size_t size() const { return size_; }
  size_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  static constexpr size_t kLeastSlots = 64;
  struct Slot {
    uint64_t hash = 0;
    T* item = nullptr;  // nullptr: free
  };

  size_t mask() const { return slots_.size() - 1; }
  void Place(Slot slot) {
    size_t i = slot.hash & mask();
    while (slots_[i].item != nullptr) i = (i + 1) & mask();
    slots_[i] = slot;
  }
  void Resize(size_t slots) {
    const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots));
    for (const Slot& slot : before) {
      if (slot.item != nullptr) Place(slot);
    }
  }

  // A power of two; an item lies where its hash says or behind, without a gap.
  std::vector<Slot> slots_ = std::vector<Slot>(kLeastSlots);
  size_t size_ = 0;
};

}  // namespace ospatrol::analysisd
