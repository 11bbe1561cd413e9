#include "pattern/syntax.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "pattern/characters.h"

namespace ospatrol::pattern {
namespace {

constexpr uint64_t kUpperCase = uint64_t{0x3ffffff} << ('A' - 64);

// The lower case of the only character of a set, or of both cases of the only letter.
std::optional<char> OnlyCharacter(const CharSet& set) {
  if ((set.bytes[2] | set.bytes[3]) != 0) return std::nullopt;
  const uint64_t low = set.bytes[0];
  const uint64_t high = set.bytes[1];
  if ((low != 0) == (high != 0)) return std::nullopt;
  const uint64_t bits = low | high;
  const uint64_t first = bits & (~bits + 1);
  const uint64_t rest = bits ^ first;
  const bool letter = high != 0 && ((first | first >> 32) & kUpperCase) != 0;
  const bool whole = letter ? rest == first << 32 && rest != 0 : rest == 0;
  if (!whole) return std::nullopt;
  return static_cast<char>((high != 0 ? 64 : 0) + std::countr_zero(letter ? rest : first));
}

// Memory of the builder before, for the next one of this thread.
std::vector<Node>& SparePieces() {
  thread_local std::vector<Node> spare;
  return spare;
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

bool IsAnchored(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kSequence:
      return !node.children.empty() && IsAnchored(node.children.front());
    case Node::Kind::kGroup:
      return IsAnchored(node.children.front());
    case Node::Kind::kAlternatives:
      return std::all_of(node.children.begin(), node.children.end(), IsAnchored);
    case Node::Kind::kAssertion:
      return node.assertion == Assertion::kStart;
    default:
      return false;
  }
}

std::optional<char> FoldedLiteral(const Syntax& syntax, const CharSet& set) {
  const auto lower = set.wide ? std::nullopt : OnlyCharacter(set);
  if (!lower || !syntax.characters || set.exceptions.empty()) return lower;
  const auto equals = CaseEquivalents(static_cast<char32_t>(*lower));
  const bool only_twins = std::all_of(
      set.exceptions.begin(), set.exceptions.end(),
      [&](char32_t code) { return std::find(equals.begin(), equals.end(), code) != equals.end(); });
  return only_twins ? lower : std::nullopt;
}

std::string FoldedCharacters(const Syntax& syntax, const CharSet& set, size_t limit) {
  if (set.wide || (set.bytes[2] | set.bytes[3]) != 0) return {};
  const uint64_t letters = (set.bytes[1] & ~kUpperCase) | (set.bytes[1] & kUpperCase) << 32;
  const uint64_t halves[] = {set.bytes[0], letters};
  if (static_cast<size_t>(std::popcount(halves[0]) + std::popcount(letters)) > limit) return {};
  std::string characters;
  for (int half = 0; half < 2; ++half) {
    for (uint64_t bits = halves[half]; bits != 0; bits &= bits - 1) {
      characters += static_cast<char>(half * 64 + std::countr_zero(bits));
    }
  }
  if (!syntax.characters) return characters;
  const bool twins = std::all_of(set.exceptions.begin(), set.exceptions.end(), [&](char32_t code) {
    return (code == U'\u017f' && characters.find('s') != std::string::npos) ||
           (code == U'\u212a' && characters.find('k') != std::string::npos);
  });
  return twins ? characters : std::string();
}

SyntaxBuilder::SyntaxBuilder(bool characters) : pieces_(std::exchange(SparePieces(), {})) {
  constexpr size_t kUsualSets = 12;
  constexpr size_t kUsualDepth = 6;
  syntax_.characters = characters;
  syntax_.sets.reserve(kUsualSets);
  open_.reserve(kUsualDepth);
  open_.push_back({.alternatives = {}, .begin = 0, .number = 0});
}

SyntaxBuilder::~SyntaxBuilder() {
  constexpr size_t kMostKept = 1024;
  pieces_.clear();
  if (pieces_.capacity() <= kMostKept) SparePieces() = std::move(pieces_);
}

void SyntaxBuilder::AddPiece(uint32_t set) {
  pieces_.push_back({.kind = Node::Kind::kSet, .set = set});
}

void SyntaxBuilder::AddSet(const CharSet& set) {
  const auto known = std::find(syntax_.sets.begin(), syntax_.sets.end(), set);
  const auto number = static_cast<uint32_t>(known - syntax_.sets.begin());
  if (known == syntax_.sets.end()) syntax_.sets.push_back(set);
  AddPiece(number);
}

// `make` gives the set of the ASCII character or byte, the same for both cases of a letter.
template <typename Make>
void SyntaxBuilder::AddLiteral(uint8_t code, const Make& make) {
  uint32_t& known = literal_sets_[static_cast<uint8_t>(base::ToLower(static_cast<char>(code)))];
  if (known == 0) {
    syntax_.sets.push_back(make());
    known = static_cast<uint32_t>(syntax_.sets.size());
  }
  AddPiece(known - 1);
}

void SyntaxBuilder::AddByte(uint8_t byte) {
  AddLiteral(byte, [byte] {
    CharSet set;
    set.Add(byte);
    set.AddAsciiCase();
    return set;
  });
}

void SyntaxBuilder::AddCharacter(char32_t code) {
  if (code >= 0x80) return AddSet(LiteralCharacter(code));
  AddLiteral(static_cast<uint8_t>(code), [code] { return LiteralCharacter(code); });
}

void SyntaxBuilder::AddAssertion(Assertion assertion) {
  pieces_.push_back({.kind = Node::Kind::kAssertion, .assertion = assertion});
}

void SyntaxBuilder::Alternative() { open_.back().alternatives.push_back(EndSequence()); }

void SyntaxBuilder::Open(bool captures) {
  open_.push_back(
      {.alternatives = {}, .begin = pieces_.size(), .number = captures ? ++syntax_.groups : 0});
}

bool SyntaxBuilder::Close() {
  if (depth() == 0) return false;
  Node node{.kind = Node::Kind::kGroup, .group = open_.back().number};
  node.children.push_back(Join());
  pieces_.push_back(std::move(node));
  return true;
}

void SyntaxBuilder::CloseAndLeaveOut(bool ahead) { syntax_.left_out.push_back({Join(), ahead}); }

bool SyntaxBuilder::Blur() {
  if (SequenceIsEmpty()) return false;
  pieces_.pop_back();
  CharSet any;
  any.InvertBytes();
  AddSet(any);
  return Repeat(0, Node::kUnlimited, true);
}

bool SyntaxBuilder::Repeat(uint32_t min, uint32_t max, bool greedy) {
  if (SequenceIsEmpty()) return false;
  Node& last = pieces_.back();
  if (last.kind == Node::Kind::kAssertion || last.kind == Node::Kind::kRepeat || MatchesEmpty(last))
    return false;
  Node node{.kind = Node::Kind::kRepeat, .greedy = greedy, .min = min, .max = max};
  node.children.push_back(std::move(last));
  last = std::move(node);
  return true;
}

Syntax SyntaxBuilder::Finish() && {
  syntax_.root = Join();
  return std::move(syntax_);
}

Node SyntaxBuilder::EndSequence() {
  const auto begin = pieces_.begin() + static_cast<std::ptrdiff_t>(open_.back().begin);
  Node sequence;
  sequence.children.assign(std::make_move_iterator(begin), std::make_move_iterator(pieces_.end()));
  pieces_.erase(begin, pieces_.end());
  return sequence;
}

Node SyntaxBuilder::Join() {
  Node last = EndSequence();
  std::vector<Node> alternatives = std::move(open_.back().alternatives);
  open_.pop_back();
  if (alternatives.empty()) return last;
  alternatives.push_back(std::move(last));
  Node node{.kind = Node::Kind::kAlternatives};
  node.children = std::move(alternatives);
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
        builder.AddCharacter(next.code);
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
