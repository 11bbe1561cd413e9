// The regular expressions of all languages as one tree: what os_match, os_regex and the regular
// part of PCRE2 have in common. Literal search, prefilter and the linear matcher are built from it.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::pattern {

// A set of characters. In byte mode characters are the 256 bytes; in character mode (os_match,
// os_regex) bytes above ASCII are not used, and characters above ASCII belong to the set when
// `wide` says so, those in `exceptions` when it does not.
struct CharSet {
  std::array<uint64_t, 4> bytes{};
  bool wide = false;
  std::vector<char32_t> exceptions;

  void Add(uint8_t byte) { bytes[byte >> 6] |= uint64_t{1} << (byte & 63); }
  void Remove(uint8_t byte) { bytes[byte >> 6] &= ~(uint64_t{1} << (byte & 63)); }
  void AddRange(uint8_t first, uint8_t last);
  void Add(std::string_view characters);
  void Add(const CharSet& other);  // bytes only
  void AddAsciiCase();             // the other case of each letter
  void InvertBytes();              // byte mode
  void InvertCharacters();         // character mode

  bool HasByte(uint8_t byte) const { return (bytes[byte >> 6] >> (byte & 63) & 1) != 0; }
  bool HasCharacter(char32_t code) const;
  bool HasAnyAbove(uint8_t byte_limit) const;  // byte mode: a byte >= limit

  bool operator==(const CharSet& other) const {
    return bytes[0] == other.bytes[0] && bytes[1] == other.bytes[1] && bytes[2] == other.bytes[2] &&
           bytes[3] == other.bytes[3] && wide == other.wide && exceptions == other.exceptions;
  }
};

enum class Assertion : uint8_t { kStart, kEnd, kEndOrFinalNewline, kWordBoundary, kNoWordBoundary };

struct Node {
  enum class Kind : uint8_t { kSequence, kAlternatives, kSet, kRepeat, kGroup, kAssertion };
  static constexpr uint32_t kUnlimited = std::numeric_limits<uint32_t>::max();

  Kind kind = Kind::kSequence;
  Assertion assertion = Assertion::kStart;
  bool greedy = true;            // kRepeat
  uint32_t set = 0;              // kSet: index into Syntax::sets
  uint32_t group = 0;            // kGroup: number, from 1; 0 = does not capture
  uint32_t min = 0;              // kRepeat
  uint32_t max = 0;              // kRepeat, kUnlimited allowed
  std::vector<Node> children{};  // kRepeat, kGroup: one
};

bool MatchesEmpty(const Node& node);
// Does every match begin at the start of the subject?
bool IsAnchored(const Node& node);

struct Syntax {
  Node root;
  std::vector<CharSet> sets;
  uint32_t groups = 0;      // capturing ones
  bool characters = false;  // character mode; else byte mode
  // False: an outline. The pattern matches only where the tree does, but not everywhere there.
  bool exact = true;
  // Of an outline: look-around.
  struct LeftOut {
    Node node;
    // Look-ahead in the outermost sequence: follows in every match, unless `root` has alternatives.
    bool ahead;
  };
  std::vector<LeftOut> left_out;
  // The text has something that PCRE2 may refuse for reasons that the tree does not show: names of
  // groups, look-behind, and "[:" where it is not meant as a class.
  bool doubtful = false;
};

// The ASCII character, in lower case, that the set stands for when it holds one character in both
// of its cases (or one without case). Nothing for any other set, and for a letter in one case only.
// In character mode, U+017F and U+212A may belong to it as well.
std::optional<char> FoldedLiteral(const Syntax& syntax, const CharSet& set);

// The ASCII characters that the set stands for, in lower case and each once, when it holds at most
// `limit` of them and nothing else; empty for any other set. In character mode, U+017F and U+212A
// may belong to it as well.
std::string FoldedCharacters(const Syntax& syntax, const CharSet& set, size_t limit);

// Builds a tree from left to right.
class SyntaxBuilder {
 public:
  explicit SyntaxBuilder(bool characters);
  ~SyntaxBuilder();
  SyntaxBuilder(const SyntaxBuilder&) = delete;
  SyntaxBuilder& operator=(const SyntaxBuilder&) = delete;

  void AddSet(const CharSet& set);
  // A literal that ignores case in ASCII. Byte mode.
  void AddByte(uint8_t byte);
  // A literal that ignores case. Character mode.
  void AddCharacter(char32_t code);
  void AddAssertion(Assertion assertion);
  void Alternative();          // what follows is another alternative of the open group
  void Open(bool captures);    // "("
  [[nodiscard]] bool Close();  // ")"; false when none is open
  // ")"; the group becomes one of left_out. REQUIRES: depth() > 0
  void CloseAndLeaveOut(bool ahead);
  // Puts "any text" in the place of the last piece. False when there is none.
  [[nodiscard]] bool Blur();
  // Repeats the last piece. False when there is none that can be repeated or when it matches the
  // empty text: engines differ there, and the tree stands for patterns only on which they don't.
  [[nodiscard]] bool Repeat(uint32_t min, uint32_t max, bool greedy);

  size_t depth() const { return open_.size() - 1; }
  uint32_t groups() const { return syntax_.groups; }

  // REQUIRES: depth() == 0.
  Syntax Finish() &&;

 private:
  struct OpenGroup {
    std::vector<Node> alternatives;  // but for the last, whose pieces are in pieces_
    size_t begin;
    uint32_t number;
  };

  void AddPiece(uint32_t set);
  template <typename Make>
  void AddLiteral(uint8_t code, const Make& make);
  bool SequenceIsEmpty() const { return pieces_.size() == open_.back().begin; }
  Node EndSequence();
  // Of the group that was opened last.
  Node Join();

  Syntax syntax_;
  std::vector<OpenGroup> open_;
  std::vector<Node> pieces_;                  // of the last sequences of all open groups
  std::array<uint32_t, 256> literal_sets_{};  // 1 + number of the set of a literal; 0: none yet
};

// The set of a literal in character mode: the character and all its cases.
CharSet LiteralCharacter(char32_t code);

// os_match 2.2 as a tree in character mode; `$` also before a final LF. Every text is one.
Syntax ParseOsMatch(std::string_view text);

// The regular part of PCRE2's syntax, in byte mode, ignoring case unless the pattern says
// otherwise. REQUIRES: PCRE2 compiles `text`. Nothing when the pattern uses anything else
// (look-around, back references, atomic groups, verbs, properties ...).
std::optional<Syntax> ParsePcre2(std::string_view text);

// The same, or else an outline, a tree that matches wherever the pattern does, and elsewhere too:
// look-around is left out, atomic groups and possessive quantifiers give back. For what can be said
// of every match: texts that occur, how it begins. Nothing when even that is not possible.
std::optional<Syntax> OutlineOfPcre2(std::string_view text);

}  // namespace ospatrol::pattern
