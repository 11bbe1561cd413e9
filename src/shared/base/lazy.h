// A value that is made when it is first asked for, by whichever thread comes first.
#pragma once

#include <atomic>
#include <memory>

namespace ospatrol::base {

template <typename T>
class Lazy {
 public:
  Lazy() = default;
  // Moving is for owners that no other thread knows yet.
  Lazy(Lazy&& other) noexcept : value_(other.value_.exchange(nullptr)) {}
  Lazy& operator=(Lazy&& other) noexcept {
    const std::unique_ptr<const T> old(value_.exchange(other.value_.exchange(nullptr)));
    return *this;
  }
  ~Lazy() { const std::unique_ptr<const T> made(value_.load()); }

  // `make` returns a T, always an equal one: threads that come at the same time may each make it,
  // and all but one drop theirs.
  template <typename Make>
  const T& Get(const Make& make) const {
    if (const T* made = value_.load(std::memory_order_acquire)) return *made;
    auto mine = std::make_unique<const T>(make());
    const T* first = nullptr;
    if (!value_.compare_exchange_strong(first, mine.get(), std::memory_order_acq_rel)) {
      return *first;
    }
    return *mine.release();
  }

 private:
  mutable std::atomic<const T*> value_{nullptr};
};

}  // namespace ospatrol::base
