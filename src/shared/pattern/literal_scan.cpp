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
  const FourChooser chooser(texts);
  for (const auto& [text, number] : texts) {
    Entry entry;
    entry.offset = static_cast<uint32_t>(chooser.Choose(text));
    entry.size = static_cast<uint32_t>(text.size());
    entry.begin = static_cast<uint32_t>(lower_.size());
    entry.number = number & kMaxNumber;
    lower_ += text;
    for (const char c : text) case_bits_ += base::IsLower(c) ? '\x20' : '\0';
    entry.tail = TailOf(std::string_view(lower_).substr(entry.begin));
    entry.tail_case = TailOf(std::string_view(case_bits_).substr(entry.begin));
    if (text.size() > kWord) {
      entry.head = Word(lower_.data() + entry.begin);
      entry.head_case = Word(case_bits_.data() + entry.begin);
    }
    entries_.push_back(entry);
  }
  const auto bytes_of = [this](const Entry& entry) {
    return lower_.data() + entry.begin + entry.offset;
  };
  const auto four_of = [&](const Entry& entry) { return FourByteMap::Fold(bytes_of(entry)); };
  // In the order of the texts where the four are equal. Not std::stable_sort: its memory is not
  // aligned as entries must be.
  std::sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
    const uint32_t four_a = four_of(a);
    const uint32_t four_b = four_of(b);
    return four_a != four_b ? four_a < four_b : a.begin < b.begin;
  });
  const size_t places = std::bit_ceil(2 * entries_.size() + 1);
  places_.resize(places);
  places_shift_ = 32 - static_cast<int>(std::bit_width(places - 1));
  for (size_t i = 0; i < entries_.size(); ++i) {
    const uint32_t four = four_of(entries_[i]);
    map_.Add(bytes_of(entries_[i]));
    Place& place = places_[PlaceOf(four)];
    if (place.first == kNone) place = {four, static_cast<uint32_t>(i)};
    const bool is_last = i + 1 == entries_.size() || four_of(entries_[i + 1]) != four;
    entries_[i].is_last = is_last ? 1 : 0;
  }
}

}  // namespace ospatrol::pattern
