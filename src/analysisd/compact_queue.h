// A queue in one block of memory that is hardly larger than what it holds, for the many that hold a
// few items. (A std::deque takes half a KiB for the first one.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace ospatrol::analysisd {

// Items are small and can be copied; what was popped may live on until its place is needed.
template <typename T>
class CompactQueue {
 public:
  void push_back(const T& item) {
    if (size_ == room_) Widen();
    items_[Place(size_)] = item;
    ++size_;
  }
  // REQUIRES of these four: not empty.
  void pop_back() { --size_; }
  void pop_front() {
    first_ = Place(1);
    --size_;
  }
  const T& front() const { return items_[first_]; }
  const T& back() const { return (*this)[size_ - 1]; }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // 0 is the front.
  const T& operator[](size_t i) const { return items_[Place(i)]; }

  // How many items `is_before` holds for. REQUIRES: it holds for none behind one that it does not
  // hold for. O(log size).
  template <typename IsBefore>
  size_t CountBefore(const IsBefore& is_before) const {
    size_t low = 0;
    size_t high = size_;
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      if (is_before((*this)[middle])) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

 private:
  size_t Place(size_t i) const {
    const size_t place = first_ + i;
    return place < room_ ? place : place - room_;
  }
  void Widen() {
    const uint32_t room = room_ + std::max(uint32_t{1}, room_ / 2);
    auto wider = std::make_unique<T[]>(room);
    for (size_t i = 0; i < size_; ++i) wider[i] = (*this)[i];
    items_ = std::move(wider);
    first_ = 0;
    room_ = room;
  }

  std::unique_ptr<T[]> items_;  // in a circle of room_, from first_ on
  size_t first_ = 0;
  uint32_t size_ = 0;
  uint32_t room_ = 0;
};

}  // namespace ospatrol::analysisd
