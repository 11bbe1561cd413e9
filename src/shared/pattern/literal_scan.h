// One pass over a subject that tells which of many literal texts occur in it, in any case.
//
// Of each text four neighbouring bytes, rare ones, are known to a map (four_byte_map.h). The pass
// asks it for the places where they may stand, 64 at a time, and compares whole texts only there.
// So the cost is a few instructions for each byte of the subject and fifty for each text that is
// really there: it hardly depends on the number of texts. Worst case, for a subject made for it:
// size of the subject times the number of texts that share four bytes.
//
// A general multi-pattern library (Vectorscan) was measured first: docs/performance.md.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/byte_search.h"
#include "pattern/four_byte_map.h"

namespace ospatrol::pattern {

class LiteralScan {
 public:
  static constexpr size_t kShortestText = FourByteMap::kGroup;

  struct Text {
    std::string_view text;  // ASCII, letters in lower case, at least kShortestText bytes
    uint32_t number;        // what it is called, less than 2^31
  };

  explicit LiteralScan(const std::vector<Text>& texts,
                       FourByteMap::Method method = FourByteMap::Method::kFastest);

  // Calls found(number) for each occurrence of a text. A text that occurs is found at
  // least once. Thread-safe, allocates nothing. REQUIRES: less than 4 GiB.
  template <typename Found>
  void Scan(std::string_view subject, const Found& found) const {
    if (subject.size() < kShortestText || entries_.empty()) return;
    const size_t end = subject.size() - kShortestText + 1;
    Suspects suspects;
    for (size_t block = 0; block < end; block += FourByteMap::kPlaces) {
      const size_t places = std::min(FourByteMap::kPlaces, end - block);
      uint64_t hits = map_.Places(subject.data() + block, places, subject.size() - block);
      for (; hits != 0; hits &= hits - 1) {
        Suspect(block + static_cast<size_t>(__builtin_ctzll(hits)), subject, suspects);
      }
      if (suspects.count > kSuspects - FourByteMap::kPlaces) Compare(suspects, subject, found);
    }
    Compare(suspects, subject, found);
  }

 private:
  // A text that is looked for by four of its bytes.
  struct alignas(64) Entry {
    // The eight bytes at its end, lower case and case bits; bits set in both in front of a shorter
    // text, where every byte fits. The first eight of a longer text; all set for another one.
    uint64_t tail = 0, tail_case = 0;
    uint64_t head = 0, head_case = 0;
    uint32_t offset = 0;  // of the four bytes in the text
    uint32_t size = 0;
    uint32_t begin = 0;  // in lower_
    uint32_t number : 31 = 0;
    uint32_t is_last : 1 = 0;  // of those with the same four bytes
  };

  class FourChooser;

  // Some groups of four folded bytes, none of which is 0, and the first entry that has each. When
  // there is no room left the next bucket has more.
  static constexpr size_t kBucket = 8;
  struct alignas(64) Bucket {
    std::array<uint32_t, kBucket> fours{};
    std::array<uint32_t, kBucket> first{};
  };

  // Places of the subject where a text may stand, each with the first entry to compare. They are
  // gathered first and compared then, so that entries come from memory side by side.
  static constexpr size_t kSuspects = 2 * FourByteMap::kPlaces;
  struct Suspects {
    size_t count = 0;
    std::array<uint32_t, kSuspects> place;
    std::array<uint32_t, kSuspects> first;
  };

  static constexpr uint32_t kMaxNumber = UINT32_MAX >> 1;

  void Fill(const Text& text, size_t offset, Entry& entry);
  void FileByFour(uint32_t four, uint32_t first);

  // Bit i: `four` is the i-th of the bucket.
  static uint32_t Holders(const Bucket& bucket, uint32_t four) {
#if defined(__SSE2__)
    const auto* const fours = reinterpret_cast<const __m128i*>(bucket.fours.data());
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(four));
    const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(fours), wanted);
    const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(fours + 1), wanted);
    const __m128i words = _mm_packs_epi32(low, high);
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(words, _mm_setzero_si128())));
#else
    uint32_t holders = 0;
    for (size_t i = 0; i < kBucket; ++i) holders |= uint32_t{bucket.fours[i] == four} << i;
    return holders;
#endif
  }
  size_t FirstBucketOf(uint32_t four) const {
    return FourByteMap::Hash(four) >> 1 >> buckets_shift_;
  }
  size_t BucketBehind(size_t bucket) const { return (bucket + 1) & (buckets_.size() - 1); }

  // Adds the place if the four bytes there are those of a text: without a branch, since nothing
  // tells beforehand whether they are.
  void Suspect(size_t place, std::string_view subject, Suspects& suspects) const {
    const uint32_t four = FourByteMap::Fold(subject.data() + place);
    size_t at = FirstBucketOf(four);
    uint32_t holders = Holders(buckets_[at], four);
    while (int{holders == 0} & int{buckets_[at].fours.back() != 0}) {
      at = BucketBehind(at);
      holders = Holders(buckets_[at], four);
    }
    const auto which = static_cast<size_t>(__builtin_ctz(holders | 1U << kBucket)) % kBucket;
    const uint32_t first = buckets_[at].first[which];
    __builtin_prefetch(&entries_[first]);
    suspects.place[suspects.count] = static_cast<uint32_t>(place);
    suspects.first[suspects.count] = first;
    suspects.count += holders != 0 ? 1 : 0;
  }

  // What is left of `suspects` is nothing.
  template <typename Found>
  void Compare(Suspects& suspects, std::string_view subject, const Found& found) const {
    for (size_t i = 0; i < suspects.count; ++i) {
      for (const Entry* entry = &entries_[suspects.first[i]];; ++entry) {
        if (OccursAt(*entry, suspects.place[i], subject)) found(entry->number);
        if (entry->is_last) break;
      }
    }
    suspects.count = 0;
  }
  bool OccursAt(const Entry& entry, size_t place, std::string_view subject) const;
  // Is that the text of `entry`: byte for byte; between its head and its tail?
  bool EqualsShort(const Entry& entry, const char* begin) const;
  bool EqualsBetween(const Entry& entry, const char* begin) const;

  static constexpr size_t kWord = sizeof(uint64_t);
  // Eight bytes, the last one highest.
  static uint64_t Word(const char* at) {
    const uint64_t word = base::ReadEightBytes(at);
    return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
  }
  // The last eight of a text, `fill` in front of a shorter one.
  static uint64_t TailOf(std::string_view text, char fill);

  FourByteMap map_;
  std::vector<Bucket> buckets_;    // by hash, half of the room free; a power of two
  int buckets_shift_ = 0;          // from the hash, halved, to the first bucket that is looked at
  std::vector<Entry> entries_;     // with the same four bytes side by side
  std::string lower_, case_bits_;  // of all texts: (byte | bit) == lower is the caseless comparison
};

inline bool LiteralScan::OccursAt(const Entry& entry, size_t place,
                                  std::string_view subject) const {
  if (place < entry.offset || subject.size() - (place - entry.offset) < entry.size) return false;
  const char* const begin = subject.data() + place - entry.offset;
  const char* const end = begin + entry.size;
  if (static_cast<size_t>(end - subject.data()) < kWord) return EqualsShort(entry, begin);
  const char* const tail = end - kWord;
  const char* const head = entry.size < kWord ? tail : begin;
  if ((((Word(tail) | entry.tail_case) ^ entry.tail) |
       ((Word(head) | entry.head_case) ^ entry.head)) != 0) {
    return false;
  }
  return entry.size <= 2 * kWord || EqualsBetween(entry, begin);
}

}  // namespace ospatrol::pattern
