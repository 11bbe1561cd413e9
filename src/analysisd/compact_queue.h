// A queue in one block of memory, for the many that hold a few items. (A std::deque takes half a
// KiB for the first one.)
#pragma once

#include <cstddef>
#include <vector>

namespace ospatrol::analysisd {

template <typename T>
class CompactQueue {
 public:
  void push_back(const T& item) { items_.push_back(item); }
  // REQUIRES of these four: not empty.
  void pop_back() { items_.pop_back(); }
  void pop_front() {
    ++first_;
    if (first_ * 2 < items_.size()) return;
    items_.erase(items_.begin(), begin());
    first_ = 0;
  }
  const T& front() const { return items_[first_]; }
  T& back() { return items_.back(); }

  void clear() {
    items_.clear();
    first_ = 0;
  }
  bool empty() const { return first_ == items_.size(); }
  size_t size() const { return items_.size() - first_; }
  const T& operator[](size_t i) const { return items_[first_ + i]; }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const { return items_.end(); }

 private:
  std::vector<T> items_;
  size_t first_ = 0;  // those before it are dropped
};

}  // namespace ospatrol::analysisd
