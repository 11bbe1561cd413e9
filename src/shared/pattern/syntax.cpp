#include "pattern/syntax.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/text.h"
#include "pattern/characters.h"

namespace ospatrol::pattern {
namespace {

// One or two.
bool HasFewBytes(const CharSet& set) {
  int count = 0;
  for (uint64_t word : set.bytes) {
    for (; word != 0 && count <= 2; word &= word - 1) ++count;
  }
  return count == 1 || count == 2;
}

uint8_t FirstByte(const CharSet& set) {
  for (size_t i = 0; i < set.bytes.size(); ++i) {
    if (set.bytes[i] != 0)
      return static_cast<uint8_t>(i * 64 + static_cast<size_t>(std::countr_zero(set.bytes[i])));
  }
  return 0;
}

}  // namespace

void CharSet::AddRange(uint8_t first, uint8_t last) {
  for (unsigned byte = first; byte <= last; ++byte) Add(static_cast<uint8_t>(byte));
}

void CharSet::Add(std::string_view characters) {
  for (const char c : characters) Add(static_cast<uint8_t>(c));
}

void CharSet::Add(const CharSet& other) {
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] |= other.bytes[i];
}

void CharSet::AddAsciiCase() {
  constexpr uint64_t kUpperCase = uint64_t{0x3ffffff} << ('A' - 64);
  static_assert('a' - 'A' == 32);
  uint64_t& letters = bytes[1];
  const uint64_t either = (letters | letters >> 32) & kUpperCase;
  letters |= either | either << 32;
}

void CharSet::InvertBytes() {
  for (uint64_t& word : bytes) word = ~word;
}

void CharSet::InvertCharacters() {
  bytes = {~bytes[0], ~bytes[1], 0, 0};
  wide = !wide;
}

bool CharSet::HasCharacter(char32_t code) const {
  if (code < 0x80) return HasByte(static_cast<uint8_t>(code));
  return wide != (std::find(exceptions.begin(), exceptions.end(), code) != exceptions.end());
}

bool CharSet::HasAnyAbove(uint8_t byte_limit) const {
  for (unsigned byte = byte_limit; byte < 256; ++byte) {
    if (HasByte(static_cast<uint8_t>(byte))) return true;
  }
  return false;
}

bool MatchesEmpty(const Node& node) {
  const auto& children = node.children;
  switch (node.kind) {
    case Node::Kind::kSet:
      return false;
    case Node::Kind::kAssertion:
      return true;
    case Node::Kind::kRepeat:
      return node.min == 0 || MatchesEmpty(children.front());
    case Node::Kind::kAlternatives:
      return std::any_of(children.begin(), children.end(), MatchesEmpty);
    case Node::Kind::kGroup:
    case Node::Kind::kSequence:
      return std::all_of(children.begin(), children.end(), MatchesEmpty);
  }
  return true;
}

std::optional<char> FoldedLiteral(const Syntax& syntax, const CharSet& set) {
  if (set.wide || !HasFewBytes(set)) return std::nullopt;
  const char lower = base::ToLower(static_cast<char>(FirstByte(set)));
  if (static_cast<uint8_t>(lower) >= 0x80) return std::nullopt;
  CharSet folded;
  folded.Add(static_cast<uint8_t>(lower));
  folded.AddAsciiCase();
  if (folded.bytes != set.bytes) return std::nullopt;
  if (!syntax.characters || set.exceptions.empty()) return lower;
  const auto equals = CaseEquivalents(static_cast<char32_t>(lower));
  const bool only_twins = std::all_of(
      set.exceptions.begin(), set.exceptions.end(),
      [&](char32_t code) { return std::find(equals.begin(), equals.end(), code) != equals.end(); });
  return only_twins ? std::optional(lower) : std::nullopt;
}

SyntaxBuilder::SyntaxBuilder(bool characters) {
  syntax_.characters = characters;
  open_.push_back({.alternatives = std::vector<Node>(1), .number = 0});
}

void SyntaxBuilder::AddSet(const CharSet& set) {
  auto known = std::find(syntax_.sets.begin(), syntax_.sets.end(), set);
  if (known == syntax_.sets.end()) known = syntax_.sets.insert(known, set);
  Node node{.kind = Node::Kind::kSet};
  node.set = static_cast<uint32_t>(known - syntax_.sets.begin());
  Sequence().children.push_back(std::move(node));
}

void SyntaxBuilder::AddAssertion(Assertion assertion) {
  Sequence().children.push_back({.kind = Node::Kind::kAssertion, .assertion = assertion});
}

void SyntaxBuilder::Alternative() { open_.back().alternatives.emplace_back(); }

void SyntaxBuilder::Open(bool captures) {
  open_.push_back(
      {.alternatives = std::vector<Node>(1), .number = captures ? ++syntax_.groups : 0});
}

bool SyntaxBuilder::Close() {
  if (depth() == 0) return false;
  OpenGroup group = std::move(open_.back());
  open_.pop_back();
  Node node{.kind = Node::Kind::kGroup, .group = group.number};
  node.children.push_back(Join(std::move(group)));
  Sequence().children.push_back(std::move(node));
  return true;
}

void SyntaxBuilder::CloseAndDrop() { open_.pop_back(); }

bool SyntaxBuilder::Blur() {
  auto& pieces = Sequence().children;
  if (pieces.empty()) return false;
  pieces.pop_back();
  CharSet any;
  any.InvertBytes();
  AddSet(any);
  return Repeat(0, Node::kUnlimited, true);
}

bool SyntaxBuilder::Repeat(uint32_t min, uint32_t max, bool greedy) {
  auto& pieces = Sequence().children;
  if (pieces.empty()) return false;
  const auto kind = pieces.back().kind;
  if (kind == Node::Kind::kAssertion || kind == Node::Kind::kRepeat || MatchesEmpty(pieces.back()))
    return false;
  Node node{.kind = Node::Kind::kRepeat, .greedy = greedy, .min = min, .max = max};
  node.children.push_back(std::move(pieces.back()));
  pieces.back() = std::move(node);
  return true;
}

Syntax SyntaxBuilder::Finish() && {
  syntax_.root = Join(std::move(open_.back()));
  return std::move(syntax_);
}

Node SyntaxBuilder::Join(OpenGroup&& group) {
  if (group.alternatives.size() == 1) return std::move(group.alternatives.front());
  Node node{.kind = Node::Kind::kAlternatives};
  node.children = std::move(group.alternatives);
  return node;
}

Syntax ParseOsMatch(std::string_view text) {
  SyntaxBuilder builder(/*characters=*/true);
  for (size_t at = 0; at < text.size();) {
    const Character next = DecodeCharacter(text, at);
    at += next.size;
    switch (next.code) {
      case '|':
        builder.Alternative();
        break;
      case '^':
        builder.AddAssertion(Assertion::kStart);
        break;
      case '$':
        builder.AddAssertion(Assertion::kEndOrFinalNewline);
        break;
      default:
        builder.AddSet(LiteralCharacter(next.code));
    }
  }
  return std::move(builder).Finish();
}

CharSet LiteralCharacter(char32_t code) {
  CharSet set;
  for (const char32_t equal : CaseEquivalents(code)) {
    if (equal < 0x80) {
      set.Add(static_cast<uint8_t>(equal));
    } else {
      set.exceptions.push_back(equal);
    }
  }
  return set;
}

}  // namespace ospatrol::pattern
