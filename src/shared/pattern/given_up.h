// Searches that ended without an answer, of all patterns of the process. They count as "no match".
#pragma once

#include <atomic>
#include <cstdint>

namespace ospatrol::pattern {

inline std::atomic<uint64_t>& GivenUpSearches() {
  static std::atomic<uint64_t> count{0};
  return count;
}

inline void CountGivenUp() { GivenUpSearches().fetch_add(1, std::memory_order_relaxed); }

}  // namespace ospatrol::pattern
