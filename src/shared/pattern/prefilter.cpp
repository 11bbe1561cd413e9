#include "pattern/prefilter.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "pattern/characters.h"

namespace ospatrol::pattern {
namespace {

using Texts = std::vector<std::string>;

constexpr size_t kMinLiteral = 2;    // a single byte occurs almost everywhere
constexpr size_t kMaxLiterals = 32;  // of one pattern, for a multi-pattern search
constexpr uint32_t kMaxTimes = 32;   // that a repeated character is written out
constexpr size_t kMaxSearches = 3;   // more searches cost more than the engine
constexpr size_t kMaxPrefixes = 8;

size_t Shortest(const Texts& texts) {
  size_t shortest = std::string::npos;
  for (const std::string& text : texts) shortest = std::min(shortest, text.size());
  return texts.empty() ? 0 : shortest;
}

bool IsBetter(const Texts& a, const Texts& b) {
  const size_t shortest_a = Shortest(a);
  const size_t shortest_b = Shortest(b);
  return shortest_a != shortest_b ? shortest_a > shortest_b : a.size() < b.size();
}

// Finds, for each part of a tree, the best set of texts of which one must occur.
class Requirement {
 public:
  explicit Requirement(const Syntax& syntax) : syntax_(syntax) {}

  Texts Of(const Node& node) const {
    switch (node.kind) {
      case Node::Kind::kGroup:
        return Of(node.children.front());
      case Node::Kind::kRepeat:
        return node.min == 0 ? Texts() : Of(node.children.front());
      case Node::Kind::kAlternatives:
        return OfAlternatives(node);
      case Node::Kind::kSequence:
        return OfSequence(node);
      default:
        return {};
    }
  }

 private:
  std::optional<char> LiteralOf(const Node& node) const {
    if (node.kind != Node::Kind::kSet) return std::nullopt;
    return FoldedLiteral(syntax_, syntax_.sets[node.set]);
  }

  Texts OfAlternatives(const Node& node) const {
    Texts all;
    for (const Node& child : node.children) {
      Texts texts = Of(child);
      if (texts.empty() || all.size() + texts.size() > kMaxLiterals) return {};
      std::move(texts.begin(), texts.end(), std::back_inserter(all));
    }
    return all;
  }

  // The longest run of literal characters, or the best of the pieces.
  Texts OfSequence(const Node& node) const {
    Texts best;
    std::string run;
    const auto end_run = [&] {
      if (run.size() >= kMinLiteral && IsBetter({run}, best)) best = {run};
      run.clear();
    };
    for (const Node& piece : node.children) {
      if (const auto literal = LiteralOf(piece)) {
        run += *literal;
      } else if (piece.kind == Node::Kind::kRepeat && piece.min > 0 &&
                 LiteralOf(piece.children.front())) {
        const size_t times = std::min(piece.min, kMaxTimes);
        run.append(times, *LiteralOf(piece.children.front()));
        if (times != piece.max) end_run();
      } else if (piece.kind != Node::Kind::kAssertion) {
        end_run();
        Texts texts = Of(piece);
        if (!texts.empty() && IsBetter(texts, best)) best = std::move(texts);
      }
    }
    end_run();
    return best;
  }

  const Syntax& syntax_;
};

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

Prefilter::Prefilter(const Syntax& syntax) : literals_(Requirement(syntax).Of(syntax.root)) {
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
  // What begins as it should mostly matches.
  if (prefixes_.empty() && literals_.size() <= kMaxSearches) {
    for (const std::string& text : literals_) required_.emplace_back(text);
  }
  if (!syntax.characters) return;
  const auto has_twin = [](const Literal& literal) {
    return literal.lower().find_first_of("sk") != std::string::npos;
  };
  twin_letters_ = std::any_of(prefixes_.begin(), prefixes_.end(), has_twin) ||
                  std::any_of(required_.begin(), required_.end(), has_twin);
}

bool Prefilter::Passes(std::string_view subject) const {
  const auto starts = [&](const Literal& prefix) { return prefix.StartsAt(subject); };
  const auto occurs = [&](const Literal& text) { return text.Find(subject) != Literal::npos; };
  if ((prefixes_.empty() || std::any_of(prefixes_.begin(), prefixes_.end(), starts)) &&
      (required_.empty() || std::any_of(required_.begin(), required_.end(), occurs))) {
    return true;
  }
  return twin_letters_ && !IsAscii(subject) && HasLetterTwins(subject);
}

}  // namespace ospatrol::pattern
