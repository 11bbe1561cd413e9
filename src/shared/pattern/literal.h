// Caseless search for literal text, the cheapest and most frequent kind of pattern.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pattern/syntax.h"

namespace ospatrol::pattern {

// How often a byte (letters: the lower case of it) stands in log lines: 0 = rare, else higher for
// more frequent ones.
size_t ByteFrequency(char lower);
// The share of the places of a log at which it stands, roughly: a power of two.
double ByteShare(char lower);

// One text, compared byte by byte; ASCII letters match in both cases, other bytes only themselves.
//
// Search looks at two bytes of the text at once, those that are rarest in logs, for 16 positions of
// the subject per step (SSE2), and compares the whole text only where both fit: about one step per
// 16 bytes of subject, whatever the text. Worst case, for a subject made for it: size of subject
// times size of text.
class Literal {
 public:
  static constexpr size_t npos = std::string_view::npos;

  explicit Literal(std::string_view text);

  size_t size() const { return lower_.size(); }
  const std::string& lower() const { return lower_; }

  // REQUIRES: size() bytes are readable at `at`.
  bool EqualsAt(const char* at) const;
  bool StartsAt(std::string_view subject) const {
    return subject.size() >= size() && EqualsAt(subject.data());
  }

  // First position, or npos. The empty text is found at 0.
  size_t Find(std::string_view subject) const;

 private:
  size_t FindFrom(const char* subject, size_t first, size_t last) const;

  std::string lower_;
  std::string case_bits_;  // 0x20 where lower_ has a letter, else 0: (byte | bit) == lower is the
                           // caseless comparison
  size_t probe_[2] = {0, 0};
};

// Alternatives of literal text, each free or tied to the start or end of the subject. Answers as a
// regular expression would: leftmost, then first alternative.
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

  static std::optional<Alternative> AlternativeFrom(const Syntax& syntax, const Node& node,
                                                    bool& possible);
  static size_t Begin(const Alternative& alternative, std::string_view subject);

  std::vector<Alternative> alternatives_;
  bool characters_ = false;    // letters have twins above ASCII
  bool ascii_only_ = false;    // an alternative was left out that needs a character above ASCII
  bool twin_letters_ = false;  // a text has an s or k
};

}  // namespace ospatrol::pattern
