#include "analysisd/candidate_index.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "analysisd/decoder.h"
#include "analysisd/decoder_set.h"
#include "pattern/characters.h"

namespace ospatrol::analysisd {
namespace {

using pattern::LiteralScan;

uint64_t BitOf(uint32_t position) { return uint64_t{1} << (position % 64); }

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

size_t ShortestOf(const std::vector<std::string>& texts) {
  size_t shortest = std::string::npos;
  for (const std::string& text : texts) shortest = std::min(shortest, text.size());
  return texts.empty() ? 0 : shortest;
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
      : index_(index), search_(search), by_decoder_(decoder_names) {}

  void File(const Decoder& decoder) {
    const DecoderPattern& prematch = decoder.prematch;
    if (!prematch) return;
    const std::vector<std::string>& texts = prematch.pattern->Literals();
    const bool useful = search_ && ShortestOf(texts) >= LiteralScan::kShortestText;
    File(prematch.bit, {.texts = useful ? &texts : nullptr}, index_.prematches_,
         &Filed::prematches);
  }

  void File(const SiblingList& list) {
    for (size_t i = 0; i < list.all().size(); ++i) {
      const RuleNode& node = *list.all()[i];
      const auto bit = static_cast<uint32_t>(list.first() + i);
      if (node.rule->decoder_name_id != 0) {
        by_decoder_[static_cast<size_t>(node.rule->decoder_name_id)].push_back(bit);
      } else {
        File(bit, search_ ? RarestTexts(*node.rule) : RequiredTexts{}, index_.nodes_,
             &Filed::nodes);
      }
      File(node.children);
    }
  }

  void Finish() {
    std::vector<Positions> prematches, nodes;
    for (Filed& filed : by_text_) {
      prematches.push_back(std::move(filed.prematches));
      nodes.push_back(std::move(filed.nodes));
    }
    index_.nodes_by_decoder_ = BitLists(by_decoder_);
    index_.prematches_by_text_ = BitLists(prematches);
    index_.nodes_by_text_ = BitLists(nodes);
    index_.scan_ = std::make_unique<const LiteralScan>(texts_);
  }

 private:
  struct Filed {
    Positions prematches, nodes;
  };

  void File(uint32_t bit, const RequiredTexts& required, std::array<Bits, kReaches>& always,
            Positions Filed::*kind) {
    const auto reached_by = [&](Reach reach) {
      always[static_cast<size_t>(reach)][bit / 64] |= BitOf(bit);
    };
    reached_by(Reach::kUnknown);
    if (required.texts == nullptr) {
      reached_by(Reach::kMessage);
      reached_by(Reach::kElsewhere);
      return;
    }
    if (required.source == RequiredTexts::Source::kField) reached_by(Reach::kElsewhere);
    for (const std::string& text : *required.texts) {
      const auto [known, is_new] = numbers_.try_emplace(text, texts_.size());
      if (is_new) {
        texts_.push_back(text);
        by_text_.emplace_back();
      }
      (by_text_[known->second].*kind).push_back(bit);
    }
  }

  CandidateIndex& index_;
  const bool search_;
  std::vector<Positions> by_decoder_;
  std::vector<Filed> by_text_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, size_t> numbers_;
};

CandidateIndex::BitLists::BitLists(const std::vector<Positions>& lists) {
  for (const Positions& list : lists) {
    all_.insert(all_.end(), list.begin(), list.end());
    ends_.push_back(static_cast<uint32_t>(all_.size()));
  }
}

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
  thread_local Reached::Sparse nodes;
  nodes.Fit(nodes_[0].size());
  scan_->Scan(message, [&](uint32_t text) {
    for (const uint32_t bit : prematches_by_text_[text]) found.prematches[bit / 64] |= BitOf(bit);
    for (const uint32_t bit : nodes_by_text_[text]) nodes.Add(bit / 64, BitOf(bit));
  });
  for (const uint32_t word : nodes.used) found.nodes.push_back({word, nodes.bits[word]});
  nodes.Clear();
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
  for (const auto& [word, bits] : found.nodes) own.Add(word, bits);
  if (event.decoder == nullptr || event.decoder->name_id <= 0) return;
  const auto name = static_cast<size_t>(event.decoder->name_id);
  if (name >= nodes_by_decoder_.size()) return;
  for (const uint32_t bit : nodes_by_decoder_[name]) own.Add(bit / 64, BitOf(bit));
}

}  // namespace ospatrol::analysisd
