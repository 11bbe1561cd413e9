#include "pattern/four_byte_map.h"

#include <algorithm>
#include <array>
#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ospatrol::pattern {
namespace {

// Few bits of the map are set, and it stays in the fast caches: 8 KiB for two thousand groups, 128
// KiB at most.
int SlotBitsFor(size_t groups) {
  constexpr int kLeast = 16;
  constexpr int kMost = 20;
  constexpr size_t kSlotsPerGroup = 24;
  return std::clamp(static_cast<int>(std::bit_width(groups * kSlotsPerGroup)), kLeast, kMost);
}

}  // namespace

FourByteMap::FourByteMap(size_t groups, Method method)
    : shift_(32 - SlotBitsFor(groups)),
      map_((size_t{1} << (32 - shift_)) / 32),
      find_(FinderFor(method)) {}

uint64_t FourByteMap::FindPlain(const uint32_t* map, int shift, const char* at, size_t places,
                                size_t) {
  uint64_t found = 0;
  for (size_t i = 0; i < places; ++i) {
    const uint32_t slot = Hash(Fold(at + i)) >> shift;
    found |= uint64_t{map[slot / 32] >> (slot % 32) & 1} << i;
  }
  return found;
}

#if defined(__x86_64__)

namespace {

constexpr size_t kStep = 8;                // places that are looked at together ...
constexpr size_t kRead = sizeof(__m128i);  // ... for which so many bytes are read
constexpr size_t kNeeded = kStep - 1 + FourByteMap::kGroup;  // and so many of them used

}  // namespace

// Eight places at a time: their groups side by side, hashed, their words gathered from the map.
__attribute__((target("avx2"))) uint64_t FourByteMap::FindAvx2(const uint32_t* map, int shift,
                                                               const char* at, size_t places,
                                                               size_t readable) {
  const __m256i groups = _mm256_setr_epi8(0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6,  //
                                          4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10);
  const __m256i fold = _mm256_set1_epi32(kFold);
  const __m256i spread = _mm256_set1_epi32(static_cast<int>(kSpread));
  const __m128i hash_bits = _mm_cvtsi32_si128(shift);
  const auto* const words = reinterpret_cast<const int*>(map);
  std::array<char, kRead> last{};
  uint64_t found = 0;
  for (size_t i = 0; i < places; i += kStep) {
    const char* from = at + i;
    if (i + kRead > readable) {
      std::memcpy(last.data(), from, std::min(readable - i, kNeeded));
      from = last.data();
    }
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m256i four = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), groups);
    const __m256i hash = _mm256_mullo_epi32(_mm256_or_si256(four, fold), spread);
    const __m256i slot = _mm256_srl_epi32(hash, hash_bits);
    const __m256i word = _mm256_i32gather_epi32(words, _mm256_srli_epi32(slot, 5), 4);
    // The bit of the slot becomes the sign: shifts count modulo 32 only where we say so.
    const __m256i up = _mm256_andnot_si256(slot, _mm256_set1_epi32(31));
    const __m256i sign = _mm256_sllv_epi32(word, up);
    const auto bits = static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(sign)));
    found |= uint64_t{bits} << i;
  }
  return places == kPlaces ? found : found & ((uint64_t{1} << places) - 1);
}

FourByteMap::Find FourByteMap::FinderFor(Method method) {
  const bool vectors = method == Method::kFastest && __builtin_cpu_supports("avx2");
  return vectors ? FindAvx2 : FindPlain;
}

#else

FourByteMap::Find FourByteMap::FinderFor(Method) { return FindPlain; }

#endif

}  // namespace ospatrol::pattern
