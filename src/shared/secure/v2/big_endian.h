// Numbers on the wire: big-endian.
#pragma once

#include <type_traits>

#include "secure/v2/types.h"

namespace ospatrol::secure::v2 {

// REQUIRES: out.size() >= sizeof(Int).
template <typename Int>
void PutNumber(MutableBytes out, Int value) {
  auto bits = static_cast<std::make_unsigned_t<Int>>(value);
  for (size_t i = sizeof(Int); i-- > 0;) {
    out[i] = static_cast<uint8_t>(bits & 0xFF);
    if constexpr (sizeof(Int) > 1) bits = static_cast<std::make_unsigned_t<Int>>(bits >> 8);
  }
}

// REQUIRES: in.size() >= sizeof(Int).
template <typename Int>
Int GetNumber(Bytes in) {
  std::make_unsigned_t<Int> bits = 0;
  for (size_t i = 0; i < sizeof(Int); ++i) {
    if constexpr (sizeof(Int) > 1) bits = static_cast<std::make_unsigned_t<Int>>(bits << 8);
    bits = static_cast<std::make_unsigned_t<Int>>(bits | in[i]);
  }
  return static_cast<Int>(bits);
}

// Takes numbers and bytes from the front; after the first that is missing, everything is zero and
// ok() is false.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}

  template <typename Int>
  Int Number() {
    const Bytes bytes = Take(sizeof(Int));
    return ok_ ? GetNumber<Int>(bytes) : Int{0};
  }
  Bytes Take(size_t size) {
    if (!ok_ || rest_.size() < size) {
      ok_ = false;
      return {};
    }
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  template <size_t N>
  void Fill(std::array<uint8_t, N>& out) {
    const Bytes bytes = Take(N);
    for (size_t i = 0; i < bytes.size(); ++i) out[i] = bytes[i];
  }
  Bytes rest() const { return rest_; }
  bool ok() const { return ok_; }

 private:
  Bytes rest_;
  bool ok_ = true;
};

}  // namespace ospatrol::secure::v2
