// Questions to eight bytes at once, in a word that holds them in any order.
#pragma once

#include <cstdint>
#include <cstring>

namespace ospatrol::base {

inline constexpr uint64_t kByteOnes = 0x0101010101010101;
inline constexpr uint64_t kByteHighBits = 0x80 * kByteOnes;

// REQUIRES: eight bytes are readable.
inline uint64_t ReadEightBytes(const char* at) {
  uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof(bytes));
  return bytes;
}

// Has bits of kByteHighBits exactly when one of the bytes is below `n` (n <= 0x80): subtracting n
// borrows from its high bit; another one's borrow can only add to what is found already. Other bits
// mean nothing.
inline uint64_t BytesBelow(uint64_t bytes, uint8_t n) { return (bytes - n * kByteOnes) & ~bytes; }

// The same for a byte that is equal to `value`.
inline uint64_t BytesEqual(uint64_t bytes, uint8_t value) {
  return BytesBelow(bytes ^ (value * kByteOnes), 1);
}

}  // namespace ospatrol::base
