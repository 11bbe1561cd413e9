// Copying text up to the first byte that needs care.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace ospatrol::alert {

// Copies `text` from `at` on to `to`, up to its first byte that `is_special`, and moves `to` behind
// it; gives where that byte stands, or the size. `any_special<N>(from)` answers the same for N
// bytes at once, 8 and 16. REQUIRES: room for the rest of `text`; what was copied before stands
// before `to`.
template <typename AnySpecial, typename IsSpecial>
size_t CopyRun(std::string_view text, size_t at, char*& to, const AnySpecial& any_special,
               const IsSpecial& is_special) {
  const char* from = text.data() + at;
  const char* const end = text.data() + text.size();
  const auto left = [&] { return static_cast<size_t>(end - from); };
  // Copies blocks of kSize bytes; false when one of them has a special byte.
  const auto copy_blocks = [&]<size_t kSize>(std::integral_constant<size_t, kSize>) {
    const char* const begin = from;
    for (; left() >= kSize; from += kSize, to += kSize) {
      if (any_special.template operator()<kSize>(from)) return false;
      std::memcpy(to, from, kSize);
    }
    if (from == begin || from == end) return true;
    // The last block overlaps what was copied already, and copies it again.
    if (any_special.template operator()<kSize>(end - kSize)) return false;
    to += left();
    from = end;
    std::memcpy(to - kSize, end - kSize, kSize);
    return true;
  };
  if (copy_blocks(std::integral_constant<size_t, 16>()) && from != end) {
    copy_blocks(std::integral_constant<size_t, 8>());
  }
  while (from != end && !is_special(*from)) *to++ = *from++;
  return static_cast<size_t>(from - text.data());
}

}  // namespace ospatrol::alert
