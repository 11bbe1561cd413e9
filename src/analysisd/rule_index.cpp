#include "analysisd/rule_index.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "analysisd/decoder.h"
#include "pattern/characters.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kShortestText = 3;  // shorter ones occur almost everywhere

bool IsPartOf(std::string_view part, std::string_view whole) {
  return !IsSet(part) ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

size_t ShortestOf(const std::vector<std::string>& texts) {
  size_t shortest = std::string::npos;
  for (const std::string& text : texts) shortest = std::min(shortest, text.size());
  return texts.empty() ? 0 : shortest;
}

// The longest, then the fewest texts: found least often.
RequiredTexts RarestTexts(const Rule& rule) {
  RequiredTexts best;
  size_t best_length = kShortestText - 1;
  for (const auto& condition : rule.conditions) {
    // First-time-seen and check_diff store what they are asked about: nothing behind them may
    // decide whether they are asked.
    if (condition->Stores()) break;
    const RequiredTexts texts = condition->Required();
    if (texts.texts == nullptr) continue;
    const size_t length = ShortestOf(*texts.texts);
    if (length > best_length || (length == best_length && best.texts != nullptr &&
                                 texts.texts->size() < best.texts->size())) {
      best = texts;
      best_length = length;
    }
  }
  return best;
}

}  // namespace

class RuleIndex::Builder {
 public:
  Builder(RuleIndex& index, bool search) : index_(index), search_(search) {}

  void File(const SiblingList& list) {
    for (size_t i = 0; i < list.all().size(); ++i) {
      const RuleNode& node = *list.all()[i];
      File(static_cast<uint32_t>(list.first() + i), *node.rule);
      File(node.children);
    }
  }

  std::vector<std::string> TakeTexts() { return std::move(texts_); }

 private:
  void File(uint32_t node, const Rule& rule) {
    if (rule.decoder_name_id != 0) {
      index_.by_decoder_[static_cast<size_t>(rule.decoder_name_id)].push_back(node);
      return;
    }
    const RequiredTexts required = search_ ? RarestTexts(rule) : RequiredTexts{};
    Set(kUnknown, node);
    if (required.texts == nullptr) {
      Set(kMessage, node);
      Set(kElsewhere, node);
      return;
    }
    if (required.source == RequiredTexts::Source::kField) Set(kElsewhere, node);
    for (const std::string& text : *required.texts) {
      const auto [known, is_new] = numbers_.try_emplace(text, texts_.size());
      if (is_new) {
        texts_.push_back(text);
        index_.by_text_.emplace_back();
      }
      index_.by_text_[known->second].push_back(node);
    }
  }

  void Set(Base base, uint32_t node) {
    index_.base_[base][node / 64] |= uint64_t{1} << (node % 64);
  }

  RuleIndex& index_;
  const bool search_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, size_t> numbers_;
};

RuleIndex::RuleIndex(const RuleTree& tree, int decoder_names, bool search)
    : by_decoder_(static_cast<size_t>(decoder_names) + 1) {
  for (auto& bits : base_) bits.resize(tree.node_count() / 64 + 1);
  Builder builder(*this, search);
  builder.File(tree.roots());
  const std::vector<std::string> texts = builder.TakeTexts();
  text_count_ = texts.size();
  if (texts.empty()) return;
  scan_ = pattern::LiteralScan::Compile(texts);
  if (scan_ == nullptr) base_[kMessage] = base_[kElsewhere] = base_[kUnknown];
}

RuleIndex::Base RuleIndex::BaseOf(const Event& event) const {
  const std::string_view message = event.full_log;
  if (scan_ == nullptr || !IsPartOf(event.log, message)) return kUnknown;
  // These two fold to ASCII letters, which a search by bytes does not know.
  if (!pattern::IsAscii(message) && pattern::HasLetterTwins(message)) return kUnknown;
  if (!IsPartOf(event.program_name, message)) return kElsewhere;
  const bool accumulates = event.decoder != nullptr && event.decoder->accumulate;
  if (accumulates) return kElsewhere;
  for (const Event::Extracted& one : event.Extraction()) {
    // No node is filed by these: GeoIP makes the first two, normalising the third.
    if (one.field == Field::kSrcGeoip || one.field == Field::kDstGeoip ||
        one.field == Field::kAction) {
      continue;
    }
    const std::string_view value = one.field == Field::kCount
                                       ? event.dynamic_fields[one.dynamic].second
                                       : event.Get(one.field);
    if (!IsPartOf(value, message)) return kElsewhere;
  }
  return kMessage;
}

void RuleIndex::Select(Event& event) const {
  const Base base = BaseOf(event);
  event.candidates = base_[base];
  uint64_t* const bits = event.candidates.data();
  const auto add = [bits](const Nodes& nodes) {
    for (const uint32_t node : nodes) bits[node / 64] |= uint64_t{1} << (node % 64);
  };
  if (event.decoder != nullptr && event.decoder->name_id > 0 &&
      static_cast<size_t>(event.decoder->name_id) < by_decoder_.size()) {
    add(by_decoder_[static_cast<size_t>(event.decoder->name_id)]);
  }
  if (base == kUnknown) return;
  const bool scanned = scan_->Scan(event.full_log, [&](unsigned text) { add(by_text_[text]); });
  if (scanned) return;
  for (size_t i = 0; i < event.candidates.size(); ++i) bits[i] |= base_[kUnknown][i];
}

}  // namespace ospatrol::analysisd
