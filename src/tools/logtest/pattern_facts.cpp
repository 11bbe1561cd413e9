// A pattern never matches when each way through it wants text behind the end or before the start of
// the subject. That is decided bottom-up: for each piece the least number of characters it takes,
// whether it must lie at the start or at the end, and whether it is impossible. Linear in the
// pattern.
#include "logtest/pattern_facts.h"

#include <algorithm>

#include "pattern/os_regex.h"
#include "pattern/syntax.h"

namespace ospatrol::logtest {
namespace {

using pattern::Assertion;
using pattern::Node;
using pattern::Syntax;

constexpr size_t kManyCharacters = 1000;  // enough to compare with; keeps sums small

enum class End { kFree, kBeforeFinalNewline, kVeryEnd };

struct Piece {
  size_t least = 0;  // characters it takes
  bool at_start = false;
  End end = End::kFree;
  bool impossible = false;
};

class Walk {
 public:
  explicit Walk(const Syntax& syntax) : syntax_(syntax) {}

  Piece Of(const Node& node) {
    switch (node.kind) {
      case Node::Kind::kSequence:
        return Sequence(node);
      case Node::Kind::kAlternatives:
        return Alternatives(node);
      case Node::Kind::kSet:
        return {.least = 1};
      case Node::Kind::kRepeat:
        return Repeat(node);
      case Node::Kind::kGroup:
        return Of(node.children.front());
      case Node::Kind::kAssertion:
        return Assert(node.assertion);
    }
    return {};
  }

  bool dead_alternative() const { return dead_alternative_; }

 private:
  static Piece Assert(Assertion assertion) {
    switch (assertion) {
      case Assertion::kStart:
        return {.at_start = true};
      case Assertion::kEnd:
        return {.end = End::kVeryEnd};
      case Assertion::kEndOrFinalNewline:
        return {.end = End::kBeforeFinalNewline};
      case Assertion::kWordBoundary:
      case Assertion::kNoWordBoundary:
        break;
    }
    return {};
  }

  Piece Sequence(const Node& node) {
    Piece whole;
    size_t behind_end = 0;
    for (const Node& child : node.children) {
      const Piece piece = Of(child);
      whole.impossible |= piece.impossible || (piece.at_start && whole.least > 0);
      if (whole.end != End::kFree) {
        behind_end += piece.least;
        whole.impossible |= behind_end > (MayBeNewline(whole.end, child) ? 1 : 0);
      }
      whole.least = std::min(whole.least + piece.least, kManyCharacters);
      whole.at_start |= piece.at_start;
      whole.end = std::max(whole.end, piece.end);
    }
    return whole;
  }

  Piece Alternatives(const Node& node) {
    Piece whole{kManyCharacters, true, End::kVeryEnd, true};
    bool any_dead = false;
    for (const Node& child : node.children) {
      const Piece piece = Of(child);
      if (piece.impossible) {
        any_dead = true;
        continue;
      }
      whole.impossible = false;
      whole.least = std::min(whole.least, piece.least);
      whole.at_start &= piece.at_start;
      whole.end = std::min(whole.end, piece.end);
    }
    dead_alternative_ |= any_dead && !whole.impossible;
    return whole;
  }

  Piece Repeat(const Node& node) {
    const Piece once = Of(node.children.front());
    if (node.min == 0) return {};
    Piece whole = once;
    whole.least = std::min(once.least * node.min, kManyCharacters);
    return whole;
  }

  // `$` also holds before a line feed that ends the subject.
  bool MayBeNewline(End end, const Node& node) const {
    if (end != End::kBeforeFinalNewline) return false;
    return node.kind != Node::Kind::kSet || syntax_.sets[node.set].HasByte('\n');
  }

  const Syntax& syntax_;
  bool dead_alternative_ = false;
};

// Any character, be it with or without line ends.
bool IsAnything(const Syntax& syntax, const Node& node) {
  if (node.kind != Node::Kind::kSet) return false;
  for (uint8_t byte = 1; byte < 0x80; ++byte) {
    if (byte != '\n' && byte != '\r' && !syntax.sets[node.set].HasByte(byte)) return false;
  }
  return true;
}

bool LeadsWithAnything(const Syntax& syntax, const Node& node) {
  const auto leads = [&](const Node& child) { return LeadsWithAnything(syntax, child); };
  switch (node.kind) {
    case Node::Kind::kSequence:
      return !node.children.empty() && leads(node.children.front());
    case Node::Kind::kAlternatives:
      return std::ranges::any_of(node.children, leads);
    case Node::Kind::kGroup:
      return node.group == 0 && leads(node.children.front());  // a captured text is wanted
    case Node::Kind::kRepeat:
      return node.max == Node::kUnlimited && IsAnything(syntax, node.children.front());
    case Node::Kind::kSet:
    case Node::Kind::kAssertion:
      break;
  }
  return false;
}

size_t MostCaptures(const Node& node) {
  size_t most = 0;
  for (const Node& child : node.children) {
    const size_t inside = MostCaptures(child);
    most = node.kind == Node::Kind::kAlternatives ? std::max(most, inside) : most + inside;
  }
  return most + (node.kind == Node::Kind::kGroup && node.group != 0 ? 1 : 0);
}

std::optional<Syntax> Parse(pattern::Language language, std::string_view text) {
  switch (language) {
    case pattern::Language::kOsMatch:
      return pattern::ParseOsMatch(text);
    case pattern::Language::kOsRegex: {
      pattern::CompileError error;
      auto translated = pattern::TranslateOsRegex(text, error);
      return translated ? std::move(translated->syntax) : std::nullopt;
    }
    case pattern::Language::kPcre2:
      return pattern::ParsePcre2(text);
    case pattern::Language::kWord:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PatternFacts> FactsOf(pattern::Language language, std::string_view text) {
  const std::optional<Syntax> syntax = Parse(language, text);
  if (!syntax) return std::nullopt;
  Walk walk(*syntax);
  PatternFacts facts;
  facts.never_matches = walk.Of(syntax->root).impossible;
  facts.dead_alternative = walk.dead_alternative();
  facts.leading_anything = LeadsWithAnything(*syntax, syntax->root);
  facts.most_captures = MostCaptures(syntax->root);
  return facts;
}

}  // namespace ospatrol::logtest
