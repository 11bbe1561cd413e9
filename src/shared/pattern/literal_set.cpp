#include "pattern/literal_set.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "pattern/characters.h"

namespace ospatrol::pattern {
namespace {

constexpr size_t kMaxTimes = 64;       // that a repeated piece is written out
constexpr size_t kMaxWays = 64;        // through a tree
constexpr size_t kMaxCharacters = 10;  // of a set that is written out
constexpr size_t kWord = sizeof(uint64_t);

template <typename Word>
uint64_t Read(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// The first eight bytes, or all there are.
uint64_t FirstBytes(std::string_view text) {
  const char* at = text.data();
  const size_t n = text.size();
  if (n >= kWord) return Read<uint64_t>(at);
  if (n >= 4) return Read<uint32_t>(at) | Read<uint32_t>(at + n - 4) << 8 * (n - 4);
  if (n >= 2) return Read<uint16_t>(at) | Read<uint16_t>(at + n - 2) << 8 * (n - 2);
  return n == 0 ? 0 : static_cast<uint8_t>(*at);
}

// The last eight bytes, or all there are at the upper end.
uint64_t LastBytes(std::string_view text) {
  if (text.size() >= kWord) return Read<uint64_t>(text.data() + text.size() - kWord);
  return text.empty() ? 0 : FirstBytes(text) << 8 * (kWord - text.size());
}

// The characters that the set stands for, in both cases; empty for any other set.
std::string Characters(const Syntax& syntax, const CharSet& set) {
  if (const auto literal = FoldedLiteral(syntax, set)) return {*literal};
  if (!syntax.characters) {
    const std::string folded = FoldedCharacters(syntax, set, kMaxCharacters);
    CharSet both;
    both.Add(folded);
    both.AddAsciiCase();
    return both.bytes == set.bytes ? folded : std::string();
  }
  // Some character above ASCII.
  const bool above = !set.wide && !set.exceptions.empty() && !set.HasAnyAbove(0);
  return above ? "\x80" : std::string();
}

bool IsEdge(const Node& node) {
  return node.kind == Node::Kind::kAssertion && node.assertion != Assertion::kWordBoundary &&
         node.assertion != Assertion::kNoWordBoundary;
}

// Is it repeated otherwise than a fixed number of times, or once or not at all?
bool IsEndless(const Node& node) {
  if (node.kind != Node::Kind::kRepeat || (node.min == 0 && node.max == 1)) return false;
  return node.min != node.max || node.min == 0 || node.min > kMaxTimes;
}

// Does each alternative begin with the start of the subject or end with its end?
bool IsTied(const Node& node) {
  if (node.kind == Node::Kind::kAlternatives) {
    return std::all_of(node.children.begin(), node.children.end(), IsTied);
  }
  return node.kind == Node::Kind::kSequence && !node.children.empty() &&
         (IsEdge(node.children.front()) || IsEdge(node.children.back()));
}

}  // namespace

// All ways through a tree, those that are tried first in front.
class LiteralSet::Ways {
 public:
  struct Way {
    std::string text;
    bool start = false;
    End end = End::kFree;
  };

  explicit Ways(const Syntax& syntax) : syntax_(syntax) {}

  // Without writing them out; 0 when the tree is more than literal text, or has too many.
  size_t Count(const Node& node) const {
    switch (node.kind) {
      case Node::Kind::kSequence: {
        if (std::any_of(node.children.begin(), node.children.end(), IsEndless)) return 0;
        size_t count = 1;
        for (const Node& child : node.children) {
          count *= Count(child);
          if (count == 0 || count > kMaxWays) return 0;
        }
        return count;
      }
      case Node::Kind::kGroup:
        return Count(node.children.front());
      case Node::Kind::kSet:
        if (FoldedLiteral(syntax_, syntax_.sets[node.set])) return 1;
        return Characters(syntax_, syntax_.sets[node.set]).size();
      case Node::Kind::kRepeat: {
        if (IsEndless(node)) return 0;
        const size_t count = Count(node.children.front());
        return count == 0 || node.min != 0 ? count : count + 1;
      }
      case Node::Kind::kAlternatives: {
        size_t all = 0;
        for (const Node& child : node.children) {
          const size_t count = Count(child);
          if (count == 0) return 0;
          all += count;
        }
        return all;
      }
      case Node::Kind::kAssertion:
        return IsEdge(node) ? 1 : 0;
    }
    return 0;
  }

  // False when the tree is more than literal text. `max` is for each of its outer alternatives.
  bool Read(size_t max) {
    max_ = max;
    const Node& root = syntax_.root;
    if (root.kind != Node::Kind::kAlternatives) return ReadOne(root);
    return std::all_of(root.children.begin(), root.children.end(),
                       [this](const Node& child) { return ReadOne(child); });
  }

  std::vector<Way>& all() { return all_; }

 private:
  bool ReadOne(const Node& node) {
    // Most trees are more, which is quickly seen.
    if (max_ == 1 && !IsText(node)) return false;
    std::vector<Way> ways = {Way()};
    if (!Extend(node, ways)) return false;
    std::move(ways.begin(), ways.end(), std::back_inserter(all_));
    return true;
  }

  static bool IsText(const Node& node) {
    return std::none_of(node.children.begin(), node.children.end(), [](const Node& piece) {
      return piece.kind == Node::Kind::kGroup || IsEndless(piece);
    });
  }

  // Puts the node behind each of the ways; leaves out those that can't match anything ("a^b").
  bool Extend(const Node& node, std::vector<Way>& ways) const {
    switch (node.kind) {
      case Node::Kind::kSequence:
        return std::all_of(node.children.begin(), node.children.end(),
                           [&](const Node& child) { return Extend(child, ways); });
      case Node::Kind::kGroup:
        return max_ > 1 && Extend(node.children.front(), ways);
      case Node::Kind::kSet:
        return ExtendBySet(syntax_.sets[node.set], ways);
      case Node::Kind::kRepeat:
        return ExtendByRepeat(node, ways);
      case Node::Kind::kAlternatives: {
        std::vector<const Node*> children;
        for (const Node& child : node.children) children.push_back(&child);
        return Branch(children, ways);
      }
      case Node::Kind::kAssertion:
        return ExtendByAssertion(node.assertion, ways);
    }
    return false;
  }

  bool ExtendBySet(const CharSet& set, std::vector<Way>& ways) const {
    const auto literal = FoldedLiteral(syntax_, set);
    if (literal && ways.size() == 1 && ways.front().end == End::kFree) {
      ways.front().text += *literal;
      return true;
    }
    const std::string characters = Characters(syntax_, set);
    if (characters.empty() || ways.size() * characters.size() > max_) return false;
    if (characters.find('\n') != std::string::npos && HasEnd(ways)) return false;
    std::erase_if(ways, [](const Way& way) { return way.end != End::kFree; });
    if (characters.size() == 1) {
      for (Way& way : ways) way.text += characters[0];
      return true;
    }
    std::vector<Way> longer;
    for (const Way& way : ways) {
      for (const char c : characters) longer.push_back({way.text + c, way.start, way.end});
    }
    ways = std::move(longer);
    return true;
  }

  static bool HasEnd(const std::vector<Way>& ways) {
    return std::any_of(ways.begin(), ways.end(),
                       [](const Way& way) { return way.end == End::kEndOrFinalNewline; });
  }

  bool ExtendByRepeat(const Node& node, std::vector<Way>& ways) const {
    const Node& child = node.children.front();
    if (IsEndless(node)) return false;
    if (node.min == 0) {
      const Node* const with = &child;
      return node.greedy ? Branch({with, nullptr}, ways) : Branch({nullptr, with}, ways);
    }
    for (uint32_t i = 0; i < node.min; ++i) {
      if (!Extend(child, ways)) return false;
    }
    return true;
  }

  // Each way goes on with each of the nodes, the first of them first; null: as it is.
  bool Branch(const std::vector<const Node*>& nodes, std::vector<Way>& ways) const {
    std::vector<Way> all;
    for (const Way& way : ways) {
      for (const Node* node : nodes) {
        std::vector<Way> longer = {way};
        if (node != nullptr && !Extend(*node, longer)) return false;
        std::move(longer.begin(), longer.end(), std::back_inserter(all));
        if (all.size() > max_) return false;
      }
    }
    ways = std::move(all);
    return true;
  }

  static bool ExtendByAssertion(Assertion assertion, std::vector<Way>& ways) {
    switch (assertion) {
      case Assertion::kStart:
        std::erase_if(ways, [](const Way& way) { return !way.text.empty(); });
        for (Way& way : ways) way.start = true;
        return true;
      case Assertion::kEnd:
        for (Way& way : ways) way.end = End::kVeryEnd;
        return true;
      case Assertion::kEndOrFinalNewline:
        for (Way& way : ways) {
          if (way.end == End::kFree) way.end = End::kEndOrFinalNewline;
        }
        return true;
      default:
        return false;
    }
  }

  const Syntax& syntax_;
  size_t max_ = 1;
  std::vector<Way> all_;
};

LiteralSet LiteralSet::Anchored(std::string_view text, bool start, bool end) {
  LiteralSet set;
  set.Add({Literal(text), start, end ? End::kVeryEnd : End::kFree});
  return set;
}

LiteralSet LiteralSet::Words(std::string_view text) {
  LiteralSet set;
  if (text.empty()) return set;
  for (std::string_view word : base::Split(text, '|')) {
    const bool start = word.starts_with('^');
    if (start) word.remove_prefix(1);
    set.Add({Literal(word), start, End::kFree});
  }
  return set;
}

std::optional<LiteralSet> LiteralSet::From(const Syntax& syntax) {
  Ways ways(syntax);
  if (syntax.groups != 0 || !ways.Read(1)) return std::nullopt;
  return Make(syntax, std::move(ways));
}

std::optional<LiteralSet> LiteralSet::WrittenOut(const Syntax& syntax) {
  Ways ways(syntax);
  if (syntax.groups != 0) return std::nullopt;
  if (!IsTied(syntax.root)) return std::nullopt;
  const size_t count = ways.Count(syntax.root);
  if (count == 0 || count > kMaxWays || !ways.Read(kMaxWays)) return std::nullopt;
  return Make(syntax, std::move(ways));
}

LiteralSet LiteralSet::Make(const Syntax& syntax, Ways&& ways) {
  LiteralSet set;
  set.characters_ = syntax.characters;
  for (Ways::Way& way : ways.all()) {
    if (!IsAscii(way.text) && syntax.characters) {
      set.ascii_only_ = true;
      continue;
    }
    set.twin_letters_ |= way.text.find_first_of("sk") != std::string::npos;
    set.Add({Literal(way.text), way.start, way.end});
  }
  return set;
}

void LiteralSet::Add(Alternative alternative) {
  const std::string_view lower = alternative.text.lower();
  const std::string_view bits = alternative.text.case_bits();
  const auto head = [&](std::string_view bytes) {
    return alternative.start ? FirstBytes(bytes) : LastBytes(bytes);
  };
  const std::string ones(lower.size(), '\xff');
  heads_.push_back({.lower = head(lower),
                    .case_bits = head(bits),
                    .mask = head(ones),
                    .size = static_cast<uint32_t>(lower.size()),
                    .start = alternative.start,
                    .end = alternative.end != End::kFree});
  alternatives_.push_back(std::move(alternative));
}

bool LiteralSet::Covers(std::string_view subject) const {
  if (!characters_ || (!ascii_only_ && !twin_letters_) || IsAscii(subject)) return true;
  return !ascii_only_ && !HasLetterTwins(subject);
}

// Where the alternative begins to match, or npos.
size_t LiteralSet::Begin(const Alternative& alternative, std::string_view subject) {
  const Literal& text = alternative.text;
  if (alternative.end == End::kFree) {
    if (!alternative.start) return text.Find(subject);
    return text.StartsAt(subject) ? 0 : Literal::npos;
  }
  const auto ends_at = [&](size_t end) {
    return end >= text.size() && (!alternative.start || end == text.size()) &&
           text.EqualsAt(subject.data() + end - text.size());
  };
  if (alternative.end == End::kEndOrFinalNewline && subject.ends_with('\n') &&
      ends_at(subject.size() - 1)) {
    return subject.size() - 1 - text.size();
  }
  return ends_at(subject.size()) ? subject.size() - text.size() : Literal::npos;
}

bool LiteralSet::Matches(std::string_view subject) const {
  const uint64_t first = FirstBytes(subject);
  const uint64_t last = LastBytes(subject);
  // The end may then be in front of the last byte.
  const bool ends_with_newline = subject.ends_with('\n');
  for (size_t i = 0; i < heads_.size(); ++i) {
    const Head& head = heads_[i];
    const bool tied = head.start || (head.end && !ends_with_newline);
    if (tied) {
      const uint64_t bytes = head.start ? first : last;
      if (((bytes | head.case_bits) & head.mask) != head.lower) continue;
      if (head.size > subject.size()) continue;
    }
    if (Begin(alternatives_[i], subject) != Literal::npos) return true;
  }
  return false;
}

std::optional<LiteralSet::Hit> LiteralSet::Find(std::string_view subject) const {
  std::optional<Hit> best;
  for (const Alternative& alternative : alternatives_) {
    const size_t begin = Begin(alternative, subject);
    if (begin == Literal::npos || (best && best->begin <= begin)) continue;
    best = Hit{begin, begin + alternative.text.size()};
  }
  return best;
}

std::vector<std::string> LiteralSet::Texts() const {
  std::vector<std::string> texts;
  for (const Alternative& alternative : alternatives_) {
    const std::string& text = alternative.text.lower();
    if (text.empty() || !IsAscii(text)) return {};
    texts.push_back(text);
  }
  return ascii_only_ ? std::vector<std::string>() : texts;
}

}  // namespace ospatrol::pattern
