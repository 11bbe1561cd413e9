#include "pattern/literal_scan.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "pattern/literal.h"

namespace ospatrol::pattern {
namespace {

// Few bits of the map are set, and it stays in the fast caches: 8 KiB for a thousand texts, 128 KiB
// at most.
int SlotBitsFor(size_t texts) {
  constexpr int kLeast = 16;
  constexpr int kMost = 20;
  constexpr size_t kSlotsPerText = 48;
  return std::clamp(static_cast<int>(std::bit_width(texts * kSlotsPerText)), kLeast, kMost);
}

uint32_t ThreeAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  return byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16;
}

// Where the three neighbouring bytes of a text stand by which it is looked for. The fewer texts
// share them, the fewer are compared where they occur; and what many texts have in common is common
// in logs, too.
class ThreeChooser {
 public:
  explicit ThreeChooser(const std::vector<std::string>& texts) {
    std::vector<uint32_t> threes;
    for (const std::string& text : texts) {
      threes.clear();
      for (size_t at = 0; at + LiteralScan::kShortestText <= text.size(); ++at) {
        threes.push_back(ThreeAt(text, at));
      }
      std::sort(threes.begin(), threes.end());
      const auto end = std::unique(threes.begin(), threes.end());
      std::for_each(threes.begin(), end, [this](uint32_t three) { ++texts_with_[three]; });
    }
  }

  size_t Choose(std::string_view text) const {
    size_t best = 0;
    for (size_t at = 1; at + LiteralScan::kShortestText <= text.size(); ++at) {
      if (Cost(text, at) < Cost(text, best)) best = at;
    }
    return best;
  }

 private:
  std::pair<size_t, size_t> Cost(std::string_view text, size_t at) const {
    return {texts_with_.at(ThreeAt(text, at)),
            ByteFrequency(text[at]) + ByteFrequency(text[at + 1]) + ByteFrequency(text[at + 2])};
  }

  std::unordered_map<uint32_t, size_t> texts_with_;
};

}  // namespace

LiteralScan::LiteralScan(const std::vector<std::string>& texts)
    : shift_(32 - SlotBitsFor(texts.size())) {
  const size_t slots = size_t{1} << (32 - shift_);
  map_.resize(slots / 64);
  starts_.resize((slots >> kSlotsPerGroupBits) + 1);
  const ThreeChooser chooser(texts);
  for (const std::string& text : texts) {
    Entry entry;
    entry.offset = static_cast<uint32_t>(chooser.Choose(text));
    entry.bytes = Fold(Read3(text.data() + entry.offset));
    entry.text = static_cast<uint32_t>(entries_.size());
    entry.begin = static_cast<uint32_t>(lower_.size());
    entry.size = static_cast<uint32_t>(text.size());
    entries_.push_back(entry);
    lower_ += text;
    for (const char c : text) case_bits_ += base::IsLower(c) ? '\x20' : '\0';
    if (entry.size < sizeof(uint64_t)) continue;
    Entry& added = entries_.back();
    std::memcpy(&added.tail, lower_.data() + lower_.size() - sizeof(uint64_t), sizeof(uint64_t));
    std::memcpy(&added.tail_case, case_bits_.data() + case_bits_.size() - sizeof(uint64_t),
                sizeof(uint64_t));
  }
  std::stable_sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
    return SlotOf(a.bytes) < SlotOf(b.bytes);
  });
  for (const Entry& entry : entries_) {
    const uint32_t slot = SlotOf(entry.bytes);
    map_[slot / 64] |= uint64_t{1} << (slot % 64);
    ++starts_[(slot >> kSlotsPerGroupBits) + 1];
  }
  for (size_t group = 1; group < starts_.size(); ++group) starts_[group] += starts_[group - 1];
}

bool LiteralScan::OccursAt(const Entry& entry, const char* at, std::string_view subject) const {
  const auto position = static_cast<size_t>(at - subject.data());
  if (position < entry.offset || subject.size() - (position - entry.offset) < entry.size) {
    return false;
  }
  const char* const begin = at - entry.offset;
  // Texts that share the three bytes differ most at their ends.
  if (entry.size >= sizeof(uint64_t)) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, begin + entry.size - sizeof(bytes), sizeof(bytes));
    if ((bytes | entry.tail_case) != entry.tail) return false;
    if (entry.size == sizeof(uint64_t)) return true;
  }
  const char* const lower = lower_.data() + entry.begin;
  const char* const bits = case_bits_.data() + entry.begin;
  for (size_t i = 0; i < entry.size; ++i) {
    if (static_cast<char>(begin[i] | bits[i]) != lower[i]) return false;
  }
  return true;
}

}  // namespace ospatrol::pattern
