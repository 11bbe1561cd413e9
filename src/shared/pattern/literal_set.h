// Alternatives of literal text: what most patterns on short fields are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pattern/literal.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {

// Alternatives of literal text, each free or tied to the start or end of the subject. Answers as a
// regular expression would: leftmost, then first alternative.
//
// A tied alternative costs a comparison of eight bytes, a free one a search.
class LiteralSet {
 public:
  struct Hit {
    size_t begin;
    size_t end;
  };

  // A single text compared by bytes; `end` is the very end.
  static LiteralSet Anchored(std::string_view text, bool start, bool end);
  // Word match (2.3).
  static LiteralSet Words(std::string_view text);
  // Nothing when the tree is more than alternatives of literal text, or captures.
  static std::optional<LiteralSet> From(const Syntax& syntax);
  // Of a tree with sets, groups and optional parts all ways through it: `^(?:6[24]|47)8$`. Nothing
  // when there are too many, or when alternatives are free.
  static std::optional<LiteralSet> WrittenOut(const Syntax& syntax);

  // In character mode: is a search by bytes exact for this subject? In byte mode it always is.
  bool Covers(std::string_view subject) const;

  bool Matches(std::string_view subject) const;
  std::optional<Hit> Find(std::string_view subject) const;

  // Texts of which one must occur, in lower case; empty when one is empty or not ASCII.
  std::vector<std::string> Texts() const;

 private:
  enum class End : uint8_t { kFree, kVeryEnd, kEndOrFinalNewline };
  struct Alternative {
    Literal text;
    bool start = false;
    End end = End::kFree;
  };
  // Of an alternative, what is compared first: up to eight bytes at its tied end.
  struct Head {
    uint64_t lower = 0;
    uint64_t case_bits = 0;
    uint64_t mask = 0;
    uint32_t size = 0;  // of the alternative
    bool start = false;
    bool end = false;
  };
  class Ways;

  static LiteralSet Make(const Syntax& syntax, Ways&& ways);
  static Head HeadOf(const Alternative& alternative);
  static size_t Begin(const Alternative& alternative, std::string_view subject);
  void Add(Alternative alternative);

  std::vector<Head> heads_;  // of each alternative
  std::vector<Alternative> alternatives_;
  bool characters_ = false;    // letters have twins above ASCII
  bool ascii_only_ = false;    // an alternative was left out that needs a character above ASCII
  bool twin_letters_ = false;  // a text has an s or k
};

}  // namespace ospatrol::pattern
