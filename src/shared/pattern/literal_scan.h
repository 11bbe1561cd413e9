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
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pattern/four_byte_map.h"

namespace ospatrol::pattern {

class LiteralScan {
 public:
  static constexpr size_t kShortestText = FourByteMap::kGroup;

  // Texts: ASCII, letters in lower case, at least kShortestText bytes each.
  explicit LiteralScan(const std::vector<std::string>& texts,
                       FourByteMap::Method method = FourByteMap::Method::kFastest);

  // Calls found(position in texts) for each occurrence of a text. A text that occurs is found at
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
  struct Entry {
    // The eight bytes at its end, lower case and case bits; 0 in front of a shorter text.
    uint64_t tail = 0, tail_case = 0;
    uint32_t offset = 0;  // of the four bytes in the text
    uint32_t size = 0;
    uint32_t begin = 0;  // in lower_
    uint32_t text = 0;   // position in the caller's texts
  };

  class FourChooser;

  static constexpr int kSlotsPerGroupBits = 4;

  // The texts that are looked for by the four bytes at `place`.
  template <typename Found>
  void Compare(size_t place, std::string_view subject, const Found& found) const {
    const uint32_t four = FourByteMap::Fold(subject.data() + place);
    const uint32_t group = map_.SlotOf(four) >> kSlotsPerGroupBits;
    for (uint32_t i = starts_[group]; i < starts_[group + 1]; ++i) {
      if (fours_[i] != four) continue;
      if (OccursAt(entries_[i], place, subject)) found(entries_[i].text);
    }
  }
  bool OccursAt(const Entry& entry, size_t place, std::string_view subject) const;

  FourByteMap map_;
  std::vector<uint32_t> starts_;   // by group of slots: where its entries begin
  std::vector<Entry> entries_;     // by slot
  std::vector<uint32_t> fours_;    // the four bytes of each entry, folded
  std::string lower_, case_bits_;  // of all texts: (byte | bit) == lower is the caseless comparison
};

}  // namespace ospatrol::pattern
