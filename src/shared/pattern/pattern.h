// A compiled pattern of one of the rule languages (rules-and-decoders 2). Immutable and thread-safe
// after Compile.
//
// Languages:
//   os_match   substring alternatives with ^ and $            rule <match>, decoder <program_name>,
//   ... os_regex   the product's small regular expressions        rule <regex>, decoder <prematch>,
//   <regex>, ... word       alternatives against a rule's group string     rule <if_group> pcre2
//   PCRE2, caseless, byte mode                     the ..._pcre2 elements
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ospatrol::pattern {

enum class Language : uint8_t { kOsMatch, kOsRegex, kWord, kPcre2 };

// What a match delivers. Offsets are into the subject. Reused between calls: no allocation on the
// data path.
struct Match {
  static constexpr size_t kMaxCaptures = 64;

  struct Span {
    uint32_t begin;
    uint32_t end;
  };

  uint32_t end = 0;            // byte behind the match
  uint32_t capture_count = 0;  // groups that took part, in order, moved up (2.7)
  std::array<Span, kMaxCaptures> captures;

  std::string_view Capture(std::string_view subject, size_t i) const {
    return subject.substr(captures[i].begin, captures[i].end - captures[i].begin);
  }
};

// Raised by Compile: what is wrong and at which byte of the pattern.
struct CompileError {
  std::string reason;
  size_t offset = 0;
};

class Pattern {
 public:
  // `negate`: Matches() answers the opposite; Find() is then not available.
  static std::unique_ptr<const Pattern> Compile(Language language, std::string_view text,
                                                CompileError* error, bool negate = false);

  virtual ~Pattern() = default;

  // Does it match anywhere in `subject`? Reentrant; bounded in time (2.11); a subject on which the
  // search is given up does not match and is counted (LimitErrors).
  virtual bool Matches(std::string_view subject) const = 0;

  // As Matches, and says where. REQUIRES: not negated.
  virtual bool Find(std::string_view subject, Match& match) const = 0;

  // Groups that can deliver a capture, at most Match::kMaxCaptures.
  virtual size_t GroupCount() const = 0;

  // For a search of many patterns at once: ASCII texts in lower case of which at least one occurs,
  // in any case, in every subject that the pattern matches. Empty: nothing is known. Does not hold
  // for subjects with HasLetterTwins (characters.h), nor for negated patterns (always empty).
  const std::vector<std::string>& Literals() const { return described_->literals; }

  const std::string& text() const { return described_->text; }
  Language language() const { return language_; }

  // Searches given up because they would have taken too long, all patterns of this process.
  static uint64_t LimitErrors();
  // The text of the pattern of one of the last of them.
  static std::string LastLimitError();

 protected:
  Pattern(Language language, std::string_view text, std::vector<std::string> literals)
      : language_(language),
        described_(new Described{std::string(text), std::move(literals)}) {}

 private:
  // What no search needs, out of the way of what each one needs.
  struct Described {
    std::string text;
    std::vector<std::string> literals;
  };

  Language language_;
  std::unique_ptr<const Described> described_;
};

}  // namespace ospatrol::pattern
