// A set of groups of four bytes, as a bit map of their hashes, and a fast way to tell where in a
// subject one of them may stand. Letters match in any case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace ospatrol::pattern {

class FourByteMap {
 public:
  static constexpr size_t kGroup = 4;    // bytes
  static constexpr size_t kPlaces = 64;  // at most, in one call of Places

  // What looks: the processor's vectors, or one place after the other. Both find the same.
  enum class Method : uint8_t { kFastest, kPlain };

  // For about so many groups; some 4 % of the bits are set then.
  explicit FourByteMap(size_t groups, Method method = Method::kFastest);

  // REQUIRES: `at` has four bytes, as in the other functions.
  void Add(const char* at) {
    const uint32_t slot = Hash(Fold(at)) >> shift_;
    map_[slot / 32] |= 1u << (slot % 32);
  }

  // What is known of a group: groups that differ in the case of letters alone (and a few others)
  // have the same.
  static uint32_t Fold(const char* at) {
    uint32_t bytes = 0;
    std::memcpy(&bytes, at, sizeof(bytes));
    return bytes | kFold;
  }
  // The upper bits are the better ones.
  static uint32_t Hash(uint32_t folded) { return folded * kSpread; }

  // Bit i: what stands at `at + i` may be in the set. Of the first `places` places, 1 to kPlaces.
  // REQUIRES: `readable` bytes at `at`, at least places + 3.
  uint64_t Places(const char* at, size_t places, size_t readable) const {
    return find_(map_.data(), shift_, at, places, readable);
  }

 private:
  using Find = uint64_t (*)(const uint32_t* map, int shift, const char* at, size_t places,
                            size_t readable);

  static constexpr uint32_t kSpread = 0x9E3779B1;
  // Folds more than letters, which only makes some bits of the map serve two groups.
  static constexpr uint32_t kFold = 0x20202020;

  static uint64_t FindPlain(const uint32_t* map, int shift, const char* at, size_t places,
                            size_t readable);
  static uint64_t FindAvx2(const uint32_t* map, int shift, const char* at, size_t places,
                           size_t readable);
  static Find FinderFor(Method method);

  int shift_;                  // 32 less the bits of a slot
  std::vector<uint32_t> map_;  // bit by slot
  Find find_;
};

}  // namespace ospatrol::pattern
