#include "analysisd/candidate_index.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "analysisd/decoder.h"
#include "analysisd/decoder_set.h"
#include "pattern/characters.h"
#include "pattern/required_texts.h"

namespace ospatrol::analysisd {
namespace {

using pattern::LiteralScan;
using pattern::ShortestOf;

uint64_t BitOf(uint32_t position) { return uint64_t{1} << (position % 64); }

// A text that a message repeats is found each time.
constexpr size_t kManyTexts = 64;

size_t KeepDistinct(std::vector<uint32_t>& texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts.size();
}

size_t WordsFor(size_t bits) { return bits / 64 + 1; }

bool IsPartOf(std::string_view part, std::string_view whole) {
  return !IsSet(part) ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// What is searched for texts: the message from the program name on, or what is behind the header.
// Nothing that is filed by a text stands before it. REQUIRES: log and program name are parts of
// full_log.
std::string_view Searched(const Event& event) {
  if (!IsSet(event.log)) return event.full_log;
  const char* begin = event.log.data();
  if (IsSet(event.program_name)) begin = std::min(begin, event.program_name.data());
  return event.full_log.substr(static_cast<size_t>(begin - event.full_log.data()));
}

bool HeaderIsPartOfMessage(const Event& event) {
  return IsPartOf(event.log, event.full_log) && IsPartOf(event.program_name, event.full_log);
}

// The longest, then the fewest texts: found least often.
RequiredTexts RarestTexts(const Rule& rule) {
  RequiredTexts best;
  size_t best_length = LiteralScan::kShortestText - 1;
  for (const auto& condition : rule.conditions) {
    // First-time-seen and check_diff store what they are asked about: nothing behind them may
    // decide whether they are asked.
    if (condition->Stores()) break;
    const RequiredTexts required = condition->Required();
    if (required.texts == nullptr) continue;
    const size_t length = ShortestOf(*required.texts);
    if (length > best_length || (length == best_length && best.texts != nullptr &&
                                 required.texts->size() < best.texts->size())) {
      best = required;
      best_length = length;
    }
  }
  return best;
}

}  // namespace

class CandidateIndex::Builder {
 public:
  Builder(CandidateIndex& index, size_t decoder_names, bool search)
      : index_(index), search_(search) {
    for (auto& lists : by_decoder_) lists.resize(decoder_names);
  }

  void File(const Decoder& decoder) {
    const DecoderPattern& prematch = decoder.prematch;
    if (!prematch) return;
    const std::vector<std::string>& texts = prematch.pattern->Literals();
    const bool useful = search_ && ShortestOf(texts) >= LiteralScan::kShortestText;
    const RequiredTexts required{.texts = useful ? &texts : nullptr};
    ForEachReach(required, [&](size_t reach) { Set(index_.prematches_[reach], prematch.bit); });
    FileByText(prematch.bit, required, &Lists::prematches);
  }

  void File(const SiblingList& list) {
    for (size_t i = 0; i < list.all().size(); ++i) {
      const RuleNode& node = *list.all()[i];
      File(*node.rule, static_cast<uint32_t>(list.first() + i));
      File(node.children);
    }
  }

  void Finish() {
    std::vector<LiteralScan::Text> texts;
    for (const auto& [text, lists] : by_text_) texts.push_back({text, Move(lists)});
    for (size_t reach = 0; reach < kReaches; ++reach) {
      for (const std::vector<Node>& nodes : by_decoder_[reach]) {
        index_.by_decoder_[reach].push_back(Move({.prematches = {}, .nodes = nodes}));
      }
    }
    index_.texts_ = texts.size();
    index_.scan_ = std::make_unique<const LiteralScan>(texts);
  }

 private:
  struct Lists {
    Positions prematches;
    std::vector<Node> nodes;
  };

  static void Set(Bits& bits, uint32_t bit) { bits[bit / 64] |= BitOf(bit); }

  void File(const Rule& rule, uint32_t node) {
    const auto decoder = static_cast<uint32_t>(rule.decoder_name_id);
    const RequiredTexts required = search_ ? RarestTexts(rule) : RequiredTexts{};
    ForEachReach(required, [&](size_t reach) {
      if (decoder == 0) {
        Set(index_.nodes_[reach], node);
      } else {
        by_decoder_[reach][decoder].push_back({node, decoder});
      }
    });
    FileByText(Node{node, decoder}, required, &Lists::nodes);
  }

  // Where texts say nothing about what requires these.
  template <typename Visit>
  static void ForEachReach(const RequiredTexts& required, const Visit& visit) {
    visit(static_cast<size_t>(Reach::kUnknown));
    if (required.texts == nullptr || required.source == RequiredTexts::Source::kField) {
      visit(static_cast<size_t>(Reach::kElsewhere));
    }
    if (required.texts == nullptr) visit(static_cast<size_t>(Reach::kMessage));
  }

  template <typename Item>
  void FileByText(Item item, const RequiredTexts& required, std::vector<Item> Lists::*kind) {
    if (required.texts == nullptr) return;
    for (const std::string& text : *required.texts) {
      const auto [known, is_new] = numbers_.try_emplace(text, by_text_.size());
      if (is_new) by_text_.emplace_back(text, Lists());
      (by_text_[known->second].second.*kind).push_back(item);
    }
  }

  uint32_t Move(const Lists& lists) {
    Positions& all = index_.filed_;
    const auto position = static_cast<uint32_t>(all.size());
    all.push_back(static_cast<uint32_t>(lists.prematches.size()));
    all.push_back(static_cast<uint32_t>(lists.nodes.size()));
    all.insert(all.end(), lists.prematches.begin(), lists.prematches.end());
    for (const Node& node : lists.nodes) all.insert(all.end(), {node.number, node.decoder});
    return position;
  }

  CandidateIndex& index_;
  const bool search_;
  std::array<std::vector<std::vector<Node>>, kReaches> by_decoder_;
  std::vector<std::pair<std::string, Lists>> by_text_;  // in load order: families side by side
  std::unordered_map<std::string, size_t> numbers_;     // in by_text_
};

CandidateIndex::CandidateIndex(const DecoderSet& decoders, const RuleTree& tree, bool search) {
  for (Bits& bits : prematches_) bits.resize(WordsFor(decoders.PrematchCount()));
  for (Bits& bits : nodes_) bits.resize(WordsFor(tree.node_count()));
  Builder builder(*this, static_cast<size_t>(decoders.NameCount()) + 1, search);
  for (const auto& decoder : decoders.decoders()) builder.File(*decoder);
  builder.File(tree.roots());
  builder.Finish();
}

void CandidateIndex::Search(Event& event) const {
  const bool known = HeaderIsPartOfMessage(event);
  const std::string_view message = known ? Searched(event) : event.full_log;
  // Two characters fold to ASCII letters, which a search by bytes does not know.
  const bool all = !known || (!pattern::IsAscii(message) && pattern::HasLetterTwins(message));
  Event::Candidates& found = event.candidates;
  found.reach = all ? Reach::kUnknown : Reach::kMessage;
  found.prematches = prematches_[static_cast<size_t>(found.reach)];
  std::vector<uint32_t>& texts = found.texts;
  size_t limit = kManyTexts;
  scan_->Scan(message, [&](uint32_t position) {
    // Needed below: on its way from memory while the next texts are looked for.
    __builtin_prefetch(filed_.data() + position);
    texts.push_back(position);
    if (texts.size() > limit) limit = kManyTexts + 2 * KeepDistinct(texts);
  });
  uint64_t* const prematches = found.prematches.data();
  for (const uint32_t position : texts) {
    for (const uint32_t bit : FiledAt(position).prematches) prematches[bit / 64] |= BitOf(bit);
  }
}

CandidateIndex::Reach CandidateIndex::ReachOf(const Event& event) {
  if (!IsPartOf(event.log, event.full_log)) return Reach::kUnknown;
  const bool accumulates = event.decoder != nullptr && event.decoder->accumulate;
  if (accumulates || !HeaderIsPartOfMessage(event)) return Reach::kElsewhere;
  const std::string_view message = Searched(event);
  for (const Event::Extracted& one : event.Extraction()) {
    // Nothing is filed by these: GeoIP makes the first two, normalising the third.
    if (one.field == Field::kSrcGeoip || one.field == Field::kDstGeoip ||
        one.field == Field::kAction) {
      continue;
    }
    const std::string_view value = one.field == Field::kCount
                                       ? event.dynamic_fields[one.dynamic].second
                                       : event.Get(one.field);
    if (!IsPartOf(value, message)) return Reach::kElsewhere;
  }
  return Reach::kMessage;
}

void CandidateIndex::SelectRules(Event& event) const {
  event.candidates.reach = std::max(event.candidates.reach, ReachOf(event));
}

void CandidateIndex::Load(const Event& event, Reached& reached) const {
  const Event::Candidates& found = event.candidates;
  reached.base_ = nodes_[static_cast<size_t>(found.reach)].data();
  Reached::Sparse& own = reached.own_;
  own.Clear();
  own.Fit(nodes_[0].size());
  const bool known = event.decoder != nullptr && event.decoder->name_id > 0;
  const auto decoder = known ? static_cast<uint32_t>(event.decoder->name_id) : 0;
  for (const uint32_t position : found.texts) {
    const Filed filed = FiledAt(position);
    for (size_t i = 0; i < filed.node_count; ++i) {
      const Node node = filed.NodeAt(i);
      if (node.decoder == 0 || node.decoder == decoder) own.Add(node.number);
    }
  }
  const Positions& by_decoder = by_decoder_[static_cast<size_t>(found.reach)];
  if (decoder == 0 || decoder >= by_decoder.size()) return;
  const Filed filed = FiledAt(by_decoder[decoder]);
  for (size_t i = 0; i < filed.node_count; ++i) own.Add(filed.NodeAt(i).number);
}

}  // namespace ospatrol::analysisd
