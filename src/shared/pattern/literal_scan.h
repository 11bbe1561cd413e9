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
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
  // least once. Thread-safe, allocates nothing.
  template <typename Found>
  void Scan(std::string_view subject, const Found& found) const {
    if (subject.size() < kShortestText || entries_.empty()) return;
    const size_t end = subject.size() - kShortestText + 1;
    for (size_t block = 0; block < end; block += FourByteMap::kPlaces) {
      const size_t places = std::min(FourByteMap::kPlaces, end - block);
      uint64_t hits = map_.Places(subject.data() + block, places, subject.size() - block);
      for (; hits != 0; hits &= hits - 1) {
        Compare(block + static_cast<size_t>(__builtin_ctzll(hits)), subject, found);
      }
    }
  }

 private:
  // A text that is looked for by four of its bytes.
  struct alignas(64) Entry {
    // The eight bytes at its end, lower case and case bits; 0 in front of a shorter text. The first
    // eight of a longer one.
    uint64_t tail = 0, tail_case = 0;
    uint64_t head = 0, head_case = 0;
    uint32_t offset = 0;  // of the four bytes in the text
    uint32_t size = 0;
    uint32_t begin = 0;  // in lower_
    uint32_t number : 31 = 0;
    uint32_t is_last : 1 = 0;  // of those with the same four bytes
  };

  class FourChooser;

  // Four folded bytes, and the first entry that has them.
  struct Place {
    uint32_t four = 0;
    uint32_t first = kNone;
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kMaxNumber = UINT32_MAX >> 1;

  void Fill(const Text& text, size_t offset, Entry& entry);

  // Where `four` stands in places_, or the free place where it would.
  size_t PlaceOf(uint32_t four) const {
    size_t place = FourByteMap::Hash(four) >> places_shift_;
    while (places_[place].first != kNone && places_[place].four != four) {
      place = (place + 1) & (places_.size() - 1);
    }
    return place;
  }
  uint32_t FirstWith(uint32_t four) const { return places_[PlaceOf(four)].first; }

  // The texts that are looked for by the four bytes at `place`.
  template <typename Found>
  void Compare(size_t place, std::string_view subject, const Found& found) const {
    const uint32_t four = FourByteMap::Fold(subject.data() + place);
    const uint32_t first = FirstWith(four);
    if (first == kNone) return;
    for (const Entry* entry = &entries_[first];; ++entry) {
      if (OccursAt(*entry, place, subject)) found(entry->number);
      if (entry->is_last) return;
    }
  }
  bool OccursAt(const Entry& entry, size_t place, std::string_view subject) const;

  static constexpr size_t kWord = sizeof(uint64_t);
  // Eight bytes, the last one highest.
  static uint64_t Word(const char* at) {
    const uint64_t word = base::ReadEightBytes(at);
    return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
  }
  // The last eight of a text, 0 in front of a shorter one.
  static uint64_t TailOf(std::string_view text);

  FourByteMap map_;
  std::vector<Place> places_;      // by hash, half of them free; a power of two
  int places_shift_ = 0;           // from the hash to the first place that is looked at
  std::vector<Entry> entries_;     // with the same four bytes side by side
  std::string lower_, case_bits_;  // of all texts: (byte | bit) == lower is the caseless comparison
};

inline bool LiteralScan::OccursAt(const Entry& entry, size_t place,
                                  std::string_view subject) const {
  if (place < entry.offset || subject.size() - (place - entry.offset) < entry.size) return false;
  const char* const begin = subject.data() + place - entry.offset;
  const char* const lower = lower_.data() + entry.begin;
  const char* const bits = case_bits_.data() + entry.begin;
  const size_t end = place - entry.offset + entry.size;
  if (end < kWord) {
    for (size_t i = 0; i < entry.size; ++i) {
      if (static_cast<char>(begin[i] | bits[i]) != lower[i]) return false;
    }
    return true;
  }
  // Texts that share the four bytes differ most at their ends.
  const uint64_t differs = (Word(subject.data() + end - kWord) | entry.tail_case) ^ entry.tail;
  if (entry.size <= kWord) return differs >> (8 * (kWord - entry.size)) == 0;
  if (differs != 0 || (Word(begin) | entry.head_case) != entry.head) return false;
  for (size_t i = kWord; i + kWord < entry.size; i += kWord) {
    if ((Word(begin + i) | Word(bits + i)) != Word(lower + i)) return false;
  }
  return true;
}

}  // namespace ospatrol::pattern
