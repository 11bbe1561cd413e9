// Searches that ended without an answer, of all patterns of the process. They count as "no match".
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace ospatrol::pattern {

inline std::atomic<uint64_t>& GivenUpSearches() {
  static std::atomic<uint64_t> count{0};
  return count;
}

// `pattern`: text of the one that was searched for.
void CountGivenUp(std::string_view pattern);

// The text of one of those counted last, cut at kMaxGivenUpText bytes.
inline constexpr size_t kMaxGivenUpText = 4096;
std::string LastGivenUp();

}  // namespace ospatrol::pattern
