// One pass over a subject that tells which of many literal texts occur in it, in any case.
//
// Of each text three neighbouring bytes, rare ones, are known to a table. The pass looks up the
// three bytes at every position, case folded, in a bit map that fits the first-level cache, and
// compares whole texts only where the bit is set. So the cost is some ten instructions for each
// byte of the subject and a hundred for each text that is really there: it hardly depends on the
// number of texts. Worst case, for a subject made for it: size of the subject times the number of
// texts that share three bytes.
//
// A general multi-pattern library (Vectorscan) was measured first: docs/performance.md.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::pattern {

class LiteralScan {
 public:
  static constexpr size_t kShortestText = 3;

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
    const char* at = subject.data();
    const char* const last = at + subject.size() - kShortestText;
    for (; at < last; ++at) {
      const uint32_t slot = Fold(Read3Of4(at)) * kSpread >> shift;
      if ((map[slot / 64] >> (slot % 64) & 1) != 0) Compare(at, subject, found);
    }
    Compare(at, subject, found);
  }

 private:
  // A text by its three rarest bytes.
  struct Entry {
    uint32_t bytes = 0;   // the three, folded
    uint32_t offset = 0;  // of the three in the text
    uint32_t text = 0;    // position in the caller's texts
    uint32_t begin = 0;   // in lower_
    uint32_t size = 0;
    // The eight bytes at its end, lower case and case bits, as memory holds them; 0 where the text
    // is shorter.
    uint64_t tail = 0, tail_case = 0;
  };

  static constexpr uint32_t kSpread = 0x9E3779B1;
  static constexpr int kSlotsPerGroupBits = 4;

  static uint32_t Read3(const char* at) {
    return static_cast<uint32_t>(static_cast<uint8_t>(at[0])) |
           static_cast<uint32_t>(static_cast<uint8_t>(at[1])) << 8 |
           static_cast<uint32_t>(static_cast<uint8_t>(at[2])) << 16;
  }
  // The same with one load. REQUIRES: four bytes are readable.
  static uint32_t Read3Of4(const char* at) {
    if constexpr (std::endian::native != std::endian::little) return Read3(at);
    uint32_t bytes = 0;
    std::memcpy(&bytes, at, sizeof(bytes));
    return bytes & 0xffffff;
  }
  // Folds more than letters, which only makes some bits of the map serve two texts.
  static uint32_t Fold(uint32_t bytes) { return bytes | 0x202020; }
  uint32_t SlotOf(uint32_t folded) const { return folded * kSpread >> shift_; }

  // The texts that are looked for by the three bytes at `at`.
  template <typename Found>
  void Compare(const char* at, std::string_view subject, const Found& found) const {
    const uint32_t folded = Fold(Read3(at));
    const uint32_t group = SlotOf(folded) >> kSlotsPerGroupBits;
    for (uint32_t i = starts_[group]; i < starts_[group + 1]; ++i) {
      const Entry& entry = entries_[i];
      if (entry.bytes == folded && OccursAt(entry, at, subject)) found(entry.text);
    }
  }
  bool OccursAt(const Entry& entry, const char* at, std::string_view subject) const;

  int shift_;                      // 32 less the bits of a slot
  std::vector<uint64_t> map_;      // bit by slot
  std::vector<uint32_t> starts_;   // by group of slots: where its entries begin
  std::vector<Entry> entries_;     // by slot
  std::string lower_, case_bits_;  // of all texts: (byte | bit) == lower is the caseless comparison
};

}  // namespace ospatrol::pattern
