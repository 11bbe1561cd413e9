#include "pattern/prefilter.h"

#include <algorithm>

#include "pattern/characters.h"
#include "pattern/literal_scan.h"
#include "pattern/required_texts.h"

namespace ospatrol::pattern {
namespace {

constexpr size_t kMinLiteral = 2;   // a single byte occurs almost everywhere
constexpr size_t kMaxSearches = 3;  // more searches cost more than the engine
constexpr size_t kMaxPrefixes = 8;
constexpr double kMaxShare = 1.0 / 64;  // of places that open a gate that keeps out something

// The literal text that every match of an anchored tree begins with.
class Prefix {
 public:
  Prefix(const Syntax& syntax, const Node& node) : syntax_(syntax) { Read(node); }

  bool anchored() const { return anchored_; }
  const std::string& text() const { return text_; }

 private:
  // True while the text may go on.
  bool Read(const Node& node) {
    switch (node.kind) {
      case Node::Kind::kSequence:
        return std::all_of(node.children.begin(), node.children.end(),
                           [this](const Node& piece) { return Read(piece); });
      case Node::Kind::kGroup:
        return Read(node.children.front());
      case Node::Kind::kAssertion:
        if (text_.empty() && node.assertion == Assertion::kStart) anchored_ = true;
        return true;
      case Node::Kind::kSet: {
        const auto literal = FoldedLiteral(syntax_, syntax_.sets[node.set]);
        if (literal) text_ += *literal;
        return literal.has_value();
      }
      default:
        return false;
    }
  }

  const Syntax& syntax_;
  bool anchored_ = false;
  std::string text_;
};

}  // namespace

Prefilter::Prefilter(const Syntax& syntax) : literals_(RequiredTexts(syntax)) {
  const bool several = syntax.root.kind == Node::Kind::kAlternatives;
  const size_t count = several ? syntax.root.children.size() : 1;
  for (size_t i = 0; i < count && count <= kMaxPrefixes; ++i) {
    const Prefix prefix(syntax, several ? syntax.root.children[i] : syntax.root);
    if (!prefix.anchored() || prefix.text().empty()) {
      prefixes_.clear();
      break;
    }
    prefixes_.emplace_back(prefix.text());
  }
  // What a decoder takes fields with has been tested before.
  if (prefixes_.empty() && syntax.groups == 0) lead_ = Lead(syntax);
  // What begins as it should mostly matches. Longer texts are found in one pass by those who have
  // many patterns (LiteralScan): a second look for them would find them again.
  const size_t shortest = ShortestOf(literals_);
  if (prefixes_.empty() && literals_.size() <= kMaxSearches && shortest >= kMinLiteral &&
      shortest < LiteralScan::kShortestText) {
    for (const std::string& text : literals_) required_.emplace_back(text);
  }
  if (required_.empty() && shortest != 0 && shortest < LiteralScan::kShortestText &&
      !IsAnchored(syntax.root) && ExpectedShare(literals_) < kMaxShare) {
    gate_ = std::make_unique<const TextGate>(literals_);
  }
  if (!syntax.characters) return;
  const auto has_twin = [](const Literal& literal) {
    return literal.lower().find_first_of("sk") != std::string::npos;
  };
  twin_letters_ = std::any_of(prefixes_.begin(), prefixes_.end(), has_twin) ||
                  std::any_of(required_.begin(), required_.end(), has_twin) || gate_ != nullptr;
}

bool Prefilter::Passes(std::string_view subject) const {
  if (!lead_.Fits(subject)) return false;
  const auto starts = [&](const Literal& prefix) { return prefix.StartsAt(subject); };
  const auto occurs = [&](const Literal& text) { return text.Find(subject) != Literal::npos; };
  if ((prefixes_.empty() || std::any_of(prefixes_.begin(), prefixes_.end(), starts)) &&
      (required_.empty() || std::any_of(required_.begin(), required_.end(), occurs)) &&
      (gate_ == nullptr || gate_->Opens(subject))) {
    return true;
  }
  return twin_letters_ && !IsAscii(subject) && HasLetterTwins(subject);
}

}  // namespace ospatrol::pattern
