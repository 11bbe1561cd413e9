#include "pattern/literal_scan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "pattern/literal.h"

namespace ospatrol::pattern {
namespace {

uint32_t Four(const char* at) {
  uint32_t bytes = 0;
  std::memcpy(&bytes, at, sizeof(bytes));
  return bytes;
}

}  // namespace

uint64_t LiteralScan::TailOf(std::string_view text) {
  std::string padded(kWord, '\0');
  padded += text;
  return Word(padded.data() + padded.size() - kWord);
}

// Where the four neighbouring bytes of a text stand by which it is looked for. The fewer texts
// share them, the fewer are compared where they occur; and what many texts have in common is common
// in logs, too.
class LiteralScan::FourChooser {
 public:
  explicit FourChooser(const std::vector<Text>& texts) {
    std::vector<uint32_t> fours;
    for (const auto& [text, number] : texts) {
      fours.clear();
      for (size_t at = 0; at + kShortestText <= text.size(); ++at) {
        fours.push_back(Four(text.data() + at));
      }
      std::sort(fours.begin(), fours.end());
      const auto end = std::unique(fours.begin(), fours.end());
      std::for_each(fours.begin(), end, [this](uint32_t four) { ++texts_with_[four]; });
    }
  }

  size_t Choose(std::string_view text) const {
    size_t best = 0;
    for (size_t at = 1; at + kShortestText <= text.size(); ++at) {
      if (Cost(text, at) < Cost(text, best)) best = at;
    }
    return best;
  }

 private:
  std::pair<size_t, size_t> Cost(std::string_view text, size_t at) const {
    size_t frequency = 0;
    for (size_t i = 0; i < kShortestText; ++i) frequency += ByteFrequency(text[at + i]);
    return {texts_with_.at(Four(text.data() + at)), frequency};
  }

  std::unordered_map<uint32_t, size_t> texts_with_;
};

LiteralScan::LiteralScan(const std::vector<Text>& texts, FourByteMap::Method method)
    : map_(texts.size(), method) {
  struct Chosen {
    const Text* text;
    size_t offset;
    uint32_t four;
  };
  const FourChooser chooser(texts);
  std::vector<Chosen> chosen;
  for (const Text& text : texts) {
    const size_t offset = chooser.Choose(text.text);
    chosen.push_back({&text, offset, FourByteMap::Fold(text.text.data() + offset)});
  }
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const Chosen& a, const Chosen& b) { return a.four < b.four; });
  const size_t places = std::bit_ceil(2 * chosen.size() + 1);
  places_.resize(places);
  places_shift_ = 32 - static_cast<int>(std::bit_width(places - 1));
  entries_.resize(chosen.size());
  for (size_t i = 0; i < chosen.size(); ++i) {
    const auto& [text, offset, four] = chosen[i];
    map_.Add(text->text.data() + offset);
    Place& place = places_[PlaceOf(four)];
    if (place.first == kNone) place = {four, static_cast<uint32_t>(i)};
    Fill(*text, offset, entries_[i]);
    entries_[i].is_last = i + 1 == chosen.size() || chosen[i + 1].four != four ? 1 : 0;
  }
}

void LiteralScan::Fill(const Text& text, size_t offset, Entry& entry) {
  entry.offset = static_cast<uint32_t>(offset);
  entry.size = static_cast<uint32_t>(text.text.size());
  entry.begin = static_cast<uint32_t>(lower_.size());
  entry.number = text.number & kMaxNumber;
  lower_ += text.text;
  for (const char c : text.text) case_bits_ += base::IsLower(c) ? '\x20' : '\0';
  entry.tail = TailOf(std::string_view(lower_).substr(entry.begin));
  entry.tail_case = TailOf(std::string_view(case_bits_).substr(entry.begin));
  if (text.text.size() <= kWord) return;
  entry.head = Word(lower_.data() + entry.begin);
  entry.head_case = Word(case_bits_.data() + entry.begin);
}

}  // namespace ospatrol::pattern
