#include "pattern/beginning.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "pattern/os_regex.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {
namespace {

constexpr size_t kMaxAlternatives = 16;

// Reads a tree from left to right, on all of its paths at once. A bit of Places says that a path
// may stand before that byte of the subject.
class Reader {
 public:
  using Places = uint32_t;
  static constexpr Places kStart = 1;

  explicit Reader(const Syntax& syntax) : syntax_(syntax) {}

  Places Read(const Node& node, Places from) {
    switch (node.kind) {
      case Node::Kind::kSet:
        return ReadSet(syntax_.sets[node.set], from);
      case Node::Kind::kGroup:
        return Read(node.children.front(), from);
      case Node::Kind::kSequence:
        for (const Node& child : node.children) from = Read(child, from);
        return from;
      case Node::Kind::kAlternatives: {
        Places to = 0;
        for (const Node& child : node.children) to |= Read(child, from);
        return to;
      }
      case Node::Kind::kRepeat:
        return ReadRepeat(node, from);
      case Node::Kind::kAssertion:
        return from;
    }
    return from;
  }

  // A path that ends says nothing of the bytes behind it.
  Beginning Finish(Places ends) {
    for (size_t i = 0; i < Beginning::kBytes; ++i) {
      for (size_t at = i; (ends >> i & 1) != 0 && at < Beginning::kBytes; ++at) {
        beginning_.bytes[at] = Beginning::kAnyByte;
        beginning_.ends[at] = true;
      }
    }
    return beginning_;
  }

 private:
  static constexpr Places kAll = (Places{1} << Beginning::kBytes) - 1;

  Places ReadSet(const CharSet& set, Places from) {
    Beginning::Bytes bytes = set.bytes;
    if (syntax_.characters) AddAllAboveAscii(bytes);
    for (size_t i = 0; i < Beginning::kBytes; ++i) {
      if ((from >> i & 1) != 0) Add(bytes, beginning_.bytes[i]);
    }
    // In character mode a character may have up to four bytes.
    Places to = from << 1;
    if (syntax_.characters) to |= from << 2 | from << 3 | from << 4;
    if (syntax_.characters) Widen(from);
    return to & kAll;
  }

  static void Add(const Beginning::Bytes& more, Beginning::Bytes& bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] |= more[i];
  }

  static void AddAllAboveAscii(Beginning::Bytes& bytes) { bytes[2] = bytes[3] = ~uint64_t{0}; }

  // The second to fourth byte of a character above ASCII.
  void Widen(Places from) {
    for (size_t i = 0; i < Beginning::kBytes; ++i) {
      if (((from << 1 | from << 2 | from << 3) >> i & 1) == 0) continue;
      AddAllAboveAscii(beginning_.bytes[i]);
    }
  }

  Places ReadRepeat(const Node& node, Places from) {
    const Node& child = node.children.front();
    for (uint32_t i = 0; i < node.min && from != 0; ++i) from = Read(child, from);
    Places to = from;
    for (uint32_t i = node.min; i < node.max && from != 0; ++i) {
      from = Read(child, from);
      if ((to | from) == to) break;
      to |= from;
    }
    return to;
  }

  const Syntax& syntax_;
  Beginning beginning_;
};

std::optional<Syntax> SyntaxOf(Language language, std::string_view text) {
  switch (language) {
    case Language::kOsMatch:
      return ParseOsMatch(text);
    case Language::kOsRegex: {
      CompileError error;
      auto regex = TranslateOsRegex(text, error);
      return regex ? std::move(regex->syntax) : std::nullopt;
    }
    case Language::kPcre2:
      // In UTF mode, which the pattern may ask for, a set says nothing of bytes.
      if (text.starts_with("(*")) return std::nullopt;
      return OutlineOfPcre2(text);
    case Language::kWord:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Beginning> BeginningsOf(Language language, std::string_view text) {
  const auto syntax = SyntaxOf(language, text);
  if (!syntax || !IsAnchored(syntax->root)) return {};
  const bool several = syntax->root.kind == Node::Kind::kAlternatives &&
                       syntax->root.children.size() <= kMaxAlternatives;
  std::vector<Beginning> beginnings;
  for (size_t i = 0; i < (several ? syntax->root.children.size() : 1); ++i) {
    Reader reader(*syntax);
    const Node& node = several ? syntax->root.children[i] : syntax->root;
    beginnings.push_back(reader.Finish(reader.Read(node, Reader::kStart)));
  }
  return beginnings;
}

}  // namespace ospatrol::pattern
