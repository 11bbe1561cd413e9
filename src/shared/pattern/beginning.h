// How a subject must begin for a pattern to match it: what tells many anchored patterns apart
// without running any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pattern/pattern.h"

namespace ospatrol::pattern {

// For each of the first bytes of a subject, which values it can have; a subject that ends before
// position i needs `ends[i]`.
struct Beginning {
  static constexpr size_t kBytes = 8;
  using Bytes = std::array<uint64_t, 4>;  // a bit for each value
  static constexpr Bytes kAnyByte{~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}};

  std::array<Bytes, kBytes> bytes{};
  std::array<bool, kBytes> ends{};
};

// One for each alternative: a subject that the pattern matches begins as one of them says. Empty:
// nothing is known (not anchored, or beyond what is understood here).
std::vector<Beginning> BeginningsOf(Language language, std::string_view text);

}  // namespace ospatrol::pattern
