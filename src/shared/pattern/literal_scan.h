// One pass over a subject that tells which of many literal texts occur in it, in any case.
//
// Of each text four neighbouring bytes, rare ones, are known to a table. The pass looks up the
// four bytes at every position, case folded, in a bit map that fits the first-level cache, and
// compares whole texts only where the bit is set. Places where it is set are gathered first,
// without a branch that could be foretold wrong. So the cost is some ten instructions for each byte
// of the subject and fifty for each text that is really there: it hardly depends on the number of
// texts. Worst case, for a subject made for it: size of the subject times the number of texts that
// share four bytes.
//
// A general multi-pattern library (Vectorscan) was measured first: docs/performance.md.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::pattern {

class LiteralScan {
 public:
  static constexpr size_t kShortestText = 4;

  // Texts: ASCII, letters in lower case, at least kShortestText bytes each.
  explicit LiteralScan(const std::vector<std::string>& texts);

  // Calls found(position in texts) for each occurrence of a text. A text that occurs is found at
  // least once. Thread-safe, allocates nothing.
  template <typename Found>
  void Scan(std::string_view subject, const Found& found) const {
    if (subject.size() < kShortestText || entries_.empty()) return;
    // `found` may write: the compiler would read the members again.
    const uint64_t* const map = map_.data();
    const int shift = shift_;
    const size_t end = subject.size() - kShortestText + 1;
    std::array<uint8_t, kBlock> hits;
    for (size_t block = 0; block < end; block += kBlock) {
      const char* const at = subject.data() + block;
      const size_t size = std::min(kBlock, end - block);
      size_t count = 0;
      for (size_t i = 0; i < size; ++i) {
        const uint32_t slot = Fold(Read4(at + i)) * kSpread >> shift;
        hits[count] = static_cast<uint8_t>(i);
        count += map[slot / 64] >> (slot % 64) & 1;
      }
      for (size_t i = 0; i < count; ++i) Compare(block + hits[i], subject, found);
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

  static constexpr size_t kBlock =
      128;  // places of the subject that are looked up before comparing
  static constexpr uint32_t kSpread = 0x9E3779B1;
  static constexpr int kSlotsPerGroupBits = 4;

  static uint32_t Read4(const char* at) {
    uint32_t bytes = 0;
    std::memcpy(&bytes, at, sizeof(bytes));
    return bytes;
  }
  // Folds more than letters, which only makes some bits of the map serve two texts.
  static uint32_t Fold(uint32_t bytes) { return bytes | 0x20202020; }
  uint32_t SlotOf(uint32_t folded) const { return folded * kSpread >> shift_; }

  // The texts that are looked for by the four bytes at `place`.
  template <typename Found>
  void Compare(size_t place, std::string_view subject, const Found& found) const {
    const uint32_t group = SlotOf(Fold(Read4(subject.data() + place))) >> kSlotsPerGroupBits;
    for (uint32_t i = starts_[group]; i < starts_[group + 1]; ++i) {
      if (OccursAt(entries_[i], place, subject)) found(entries_[i].text);
    }
  }
  bool OccursAt(const Entry& entry, size_t place, std::string_view subject) const;

  int shift_;                      // 32 less the bits of a slot
  std::vector<uint64_t> map_;      // bit by slot
  std::vector<uint32_t> starts_;   // by group of slots: where its entries begin
  std::vector<Entry> entries_;     // by slot
  std::string lower_, case_bits_;  // of all texts: (byte | bit) == lower is the caseless comparison
};

}  // namespace ospatrol::pattern
