#include "analysisd/text_hash.h"

#include <cstring>
#include <string>

#include "base/random.h"

namespace ospatrol::analysisd {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr uint64_t kFactor = 0x9E3779B97F4A7C15;  // odd, its bits in no pattern

// Both halves of the product depend on all bits of both numbers.
uint64_t Mix(uint64_t a, uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

template <typename T>
uint64_t Load(const char* bytes) {
  T number;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

}  // namespace

TextHash::TextHash() {
  const std::string bytes = base::RandomBytes(sizeof seed_);
  std::memcpy(&seed_, bytes.data(), sizeof seed_);
}

uint64_t TextHash::operator()(std::string_view text, uint32_t number) const {
  const char* bytes = text.data();
  size_t left = text.size();
  uint64_t hash = Mix(seed_ ^ number, kFactor + left);
  for (; left > 8; left -= 8, bytes += 8) hash = Mix(hash ^ Load<uint64_t>(bytes), kFactor);
  uint64_t last = 0;
  if (left >= 4) {
    last = Load<uint32_t>(bytes) << 32 | Load<uint32_t>(bytes + left - 4);
  } else if (left > 0) {
    last = Load<uint8_t>(bytes) << 16 | Load<uint8_t>(bytes + left / 2) << 8 |
           Load<uint8_t>(bytes + left - 1);
  }
  return Mix(hash ^ last, seed_ | 1);
}

}  // namespace ospatrol::analysisd
