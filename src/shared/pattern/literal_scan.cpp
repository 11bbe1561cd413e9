#include "pattern/literal_scan.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "pattern/literal.h"

namespace ospatrol::pattern {
uint64_t LiteralScan::TailOf(std::string_view text, char fill) {
  std::string padded(kWord, fill);
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
        fours.push_back(FourByteMap::Fold(text.data() + at));
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
    return {texts_with_.at(FourByteMap::Fold(text.data() + at)), frequency};
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
  buckets_.resize(std::bit_ceil(2 * chosen.size() / kBucket + 1));
  buckets_shift_ = 31 - static_cast<int>(std::bit_width(buckets_.size() - 1));
  entries_.resize(chosen.size());
  for (size_t i = 0; i < chosen.size(); ++i) {
    const auto& [text, offset, four] = chosen[i];
    map_.Add(text->text.data() + offset);
    if (i == 0 || chosen[i - 1].four != four) FileByFour(four, static_cast<uint32_t>(i));
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
  const std::string_view lower = std::string_view(lower_).substr(entry.begin);
  const std::string_view bits = std::string_view(case_bits_).substr(entry.begin);
  entry.tail = TailOf(lower, '\xFF');
  entry.tail_case = TailOf(bits, '\xFF');
  const bool longer = text.text.size() > kWord;
  entry.head = longer ? Word(lower.data()) : UINT64_MAX;
  entry.head_case = longer ? Word(bits.data()) : UINT64_MAX;
}

bool LiteralScan::EqualsShort(const Entry& entry, const char* begin) const {
  for (size_t i = 0; i < entry.size; ++i) {
    const size_t at = entry.begin + i;
    if (static_cast<char>(begin[i] | case_bits_[at]) != lower_[at]) return false;
  }
  return true;
}

bool LiteralScan::EqualsBetween(const Entry& entry, const char* begin) const {
  const char* const lower = lower_.data() + entry.begin;
  const char* const bits = case_bits_.data() + entry.begin;
  for (size_t i = kWord; i + kWord < entry.size; i += kWord) {
    if ((Word(begin + i) | Word(bits + i)) != Word(lower + i)) return false;
  }
  return true;
}

void LiteralScan::FileByFour(uint32_t four, uint32_t first) {
  size_t at = FirstBucketOf(four);
  while (buckets_[at].fours.back() != 0) at = BucketBehind(at);
  Bucket& bucket = buckets_[at];
  const auto room = std::find(bucket.fours.begin(), bucket.fours.end(), 0) - bucket.fours.begin();
  bucket.fours[static_cast<size_t>(room)] = four;
  bucket.first[static_cast<size_t>(room)] = first;
}

}  // namespace ospatrol::pattern
