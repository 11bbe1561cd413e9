// From the text of a pattern to the cheapest thing that gives its answers.
//
//   text                                              becomes
//   ^literal  literal$  ^literal$                     LiteralPattern: bytes, ASCII case
//   alternatives of literals, pcre2 or word match     LiteralPattern; pcre2: also with small sets,
//                                                     groups and optional parts, if mostly tied
//   alternatives of literals, os_match or os_regex    TextPattern: literal search; the linear
//   matcher where characters
//                                                     above ASCII matter
//   single characters out of sets, pcre2              SetPattern: bit sets
//   other os_regex, pcre2                             RegexPattern: prefilter, then PCRE2 or the
//   linear matcher
//
// The first line is part of the languages, not only an optimisation: there the reference compares
// bytes, so that
// `^é` does not match `É` although `é` does (rules-and-decoders 2.2, 2.4, 2.8).
#include "pattern/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pattern/acceptance.h"
#include "pattern/characters.h"
#include "pattern/given_up.h"
#include "pattern/linear.h"
#include "pattern/literal_set.h"
#include "pattern/os_regex.h"
#include "pattern/pcre2_code.h"
#include "pattern/prefilter.h"
#include "pattern/program.h"
#include "pattern/regex_search.h"
#include "pattern/required_texts.h"
#include "pattern/set_sequence.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {
namespace {

constexpr size_t kMaxText = 2048;  // os_match and os_regex
constexpr std::string_view kPlainCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !\"#%&',/:;<=>@_-~`";

using Compiled = std::unique_ptr<const Pattern>;

void Deliver(const LiteralSet::Hit& hit, Match& match) {
  match.end = static_cast<uint32_t>(hit.end);
  match.capture_count = 0;
}

class LiteralPattern final : public Pattern {
 public:
  LiteralPattern(Language language, std::string_view text, LiteralSet set)
      : LiteralPattern(language, text, set.Texts(), std::move(set)) {}
  LiteralPattern(Language language, std::string_view text, std::vector<std::string> required,
                 LiteralSet&& set)
      : Pattern(language, text, std::move(required)), set_(std::move(set)) {}

  bool Matches(std::string_view subject) const override { return set_.Matches(subject); }
  bool Find(std::string_view subject, Match& match) const override {
    const auto hit = set_.Find(subject);
    if (hit) Deliver(*hit, match);
    return hit.has_value();
  }
  size_t GroupCount() const override { return 0; }

 private:
  LiteralSet set_;
};

class SetPattern final : public Pattern {
 public:
  SetPattern(Language language, std::string_view text, SetSequence sets)
      : Pattern(language, text, {}), sets_(std::move(sets)) {}

  bool Matches(std::string_view subject) const override { return sets_.Find(subject).has_value(); }
  bool Find(std::string_view subject, Match& match) const override {
    const auto end = sets_.Find(subject);
    if (!end) return false;
    match.end = static_cast<uint32_t>(*end);
    match.capture_count = 0;
    return true;
  }
  size_t GroupCount() const override { return 0; }

 private:
  SetSequence sets_;
};

class TextPattern final : public Pattern {
 public:
  TextPattern(Language language, std::string_view text, LiteralSet set, Linear::Read read)
      : Pattern(language, text, set.Texts()), set_(std::move(set)), linear_(read) {}

  bool Matches(std::string_view subject) const override {
    return set_.Covers(subject) ? set_.Matches(subject) : SearchLinearly(subject, nullptr);
  }
  bool Find(std::string_view subject, Match& match) const override {
    if (!set_.Covers(subject)) return SearchLinearly(subject, &match);
    const auto hit = set_.Find(subject);
    if (hit) Deliver(*hit, match);
    return hit.has_value();
  }
  size_t GroupCount() const override { return 0; }

 private:
  // Nothing is repeated in literals of at most kMaxText bytes, so there is always a program.
  bool SearchLinearly(std::string_view subject, Match* match) const {
    const Program* program = linear_.For(text());
    return program != nullptr && program->Search(subject, match, text());
  }

  LiteralSet set_;
  Linear linear_;
};

class ProgramPattern final : public Pattern {
 public:
  ProgramPattern(Language language, std::string_view text, Program program)
      : Pattern(language, text, {}), program_(std::move(program)) {}

  bool Matches(std::string_view subject) const override {
    return program_.Search(subject, nullptr, text());
  }
  bool Find(std::string_view subject, Match& match) const override {
    return program_.Search(subject, &match, text());
  }
  size_t GroupCount() const override { return 0; }

 private:
  Program program_;
};

class RegexPattern final : public Pattern {
 public:
  struct Engines {
    // What every search needs first: memory is slower than the engines.
    Prefilter prefilter;
    std::unique_ptr<const Pcre2Code> bytes;  // pcre2: all subjects; os_regex: ASCII
    std::unique_ptr<const Pcre2Code> utf;    // os_regex: UTF-8 subjects; may be missing
    Linear linear;                           // may be missing
  };

  RegexPattern(Language language, std::string_view text, Engines engines)
      : Pattern(language, text, engines.prefilter.literals()), engines_(std::move(engines)) {}

  bool Matches(std::string_view subject) const override { return Search(subject, nullptr); }
  bool Find(std::string_view subject, Match& match) const override {
    return Search(subject, &match);
  }
  size_t GroupCount() const override {
    return std::min<size_t>(engines_.bytes->groups(), Match::kMaxCaptures);
  }

 private:
  bool Search(std::string_view subject, Match* match) const {
    const Pcre2Code* code = engines_.bytes.get();
    __builtin_prefetch(code);
    if (!engines_.prefilter.Passes(subject)) return false;
    code->Fetch();
    if (language() == Language::kOsRegex && !IsAscii(subject)) {
      const bool valid = engines_.utf != nullptr && IsValidUtf8(subject);
      const Program* linear = valid ? nullptr : engines_.linear.For(text());
      if (linear != nullptr) return linear->Search(subject, match, text());
      if (valid) code = engines_.utf.get();
    }
    return BoundedSearch(*code, engines_.linear, subject, match, text());
  }

  Engines engines_;
};

class NegatedPattern final : public Pattern {
 public:
  explicit NegatedPattern(Compiled pattern)
      : Pattern(pattern->language(), pattern->text(), {}), pattern_(std::move(pattern)) {}

  bool Matches(std::string_view subject) const override { return !pattern_->Matches(subject); }
  bool Find(std::string_view, Match&) const override { return false; }
  size_t GroupCount() const override { return pattern_->GroupCount(); }

 private:
  Compiled pattern_;
};

bool TooLong(std::string_view text, CompileError& error) {
  if (text.size() <= kMaxText) return false;
  error = {.reason = fmt::format("the pattern has {} bytes; at most {} are allowed", text.size(),
                                 kMaxText),
           .offset = kMaxText};
  return true;
}

// ^literal, literal$ or ^literal$; the literal is not empty and has none of `forbidden`, only
// `allowed` if not empty.
Compiled CompileAnchored(Language language, std::string_view text, std::string_view forbidden,
                         std::string_view allowed) {
  std::string_view literal = text;
  const bool start = literal.starts_with('^');
  if (start) literal.remove_prefix(1);
  const bool end = literal.ends_with('$');
  if (end) literal.remove_suffix(1);
  if (literal.empty() || !(start || end)) return nullptr;
  if (literal.find_first_of(forbidden) != std::string_view::npos) return nullptr;
  if (!allowed.empty() && literal.find_first_not_of(allowed) != std::string_view::npos)
    return nullptr;
  return std::make_unique<LiteralPattern>(language, text,
                                          LiteralSet::Anchored(literal, start, end));
}

Compiled CompileOsMatch(std::string_view text, CompileError& error) {
  if (TooLong(text, error)) return nullptr;
  if (auto anchored = CompileAnchored(Language::kOsMatch, text, "^$|", "")) return anchored;
  const Syntax syntax = ParseOsMatch(text);
  if (auto set = LiteralSet::From(syntax)) {
    return std::make_unique<TextPattern>(
        Language::kOsMatch, text, std::move(*set),
        [](std::string_view again) { return std::optional(ParseOsMatch(again)); });
  }
  auto program = Program::From(syntax);
  if (!program) {
    error = {.reason = "the pattern is too complex", .offset = 0};
    return nullptr;
  }
  return std::make_unique<ProgramPattern>(Language::kOsMatch, text, std::move(*program));
}

// What the text is for PCRE2. Of patterns that it certainly accepts the code is made later.
std::unique_ptr<const Pcre2Code> CodeOf(std::string_view text, const Pcre2Code::Options& options,
                                        const std::optional<Syntax>& syntax, CompileError& error) {
  if (syntax && IsSurelyAccepted(*syntax)) {
    return Pcre2Code::Later(std::string(text), options, syntax->groups);
  }
  return Pcre2Code::Compile(text, options, error);
}

std::optional<Syntax> ReadOsRegex(std::string_view text) {
  CompileError ignored;
  auto regex = TranslateOsRegex(text, ignored);
  return regex ? std::move(regex->syntax) : std::nullopt;
}

Compiled CompileOsRegex(std::string_view text, CompileError& error) {
  if (TooLong(text, error)) return nullptr;
  const auto regex = TranslateOsRegex(text, error);
  if (!regex) return nullptr;
  if (auto anchored = CompileAnchored(Language::kOsRegex, text, "", kPlainCharacters))
    return anchored;
  RegexPattern::Engines engines;
  CompileError translated;
  engines.bytes = CodeOf(regex->bytes, {.dot_all = true}, regex->syntax, translated);
  if (engines.bytes == nullptr) {
    error = {.reason = fmt::format("{} (in its translation to PCRE2, {})", translated.reason,
                                   regex->bytes),
             .offset = 0};
    return nullptr;
  }
  if (regex->syntax) {
    if (auto set = LiteralSet::From(*regex->syntax)) {
      return std::make_unique<TextPattern>(Language::kOsRegex, text, std::move(*set), ReadOsRegex);
    }
    engines.linear = Linear(ReadOsRegex);
    engines.prefilter = Prefilter(*regex->syntax);
  }
  if (!regex->utf.empty()) {
    engines.utf = CodeOf(regex->utf, {.utf = true, .dot_all = true}, regex->syntax, translated);
  }
  return std::make_unique<RegexPattern>(Language::kOsRegex, text, std::move(engines));
}

Compiled CompilePcre2(std::string_view text, CompileError& error) {
  if (text.empty()) {
    error = {.reason = "the pattern is empty", .offset = 0};
    return nullptr;
  }
  if (auto anchored = CompileAnchored(Language::kPcre2, text, "", kPlainCharacters))
    return anchored;
  const auto syntax = OutlineOfPcre2(text);
  RegexPattern::Engines engines;
  engines.bytes = CodeOf(text, {}, syntax, error);
  if (engines.bytes == nullptr) return nullptr;
  if (syntax && syntax->exact) {
    if (auto set = LiteralSet::From(*syntax)) {
      return std::make_unique<LiteralPattern>(Language::kPcre2, text, std::move(*set));
    }
    if (auto sets = SetSequence::From(*syntax)) {
      return std::make_unique<SetPattern>(Language::kPcre2, text, std::move(*sets));
    }
    if (auto set = LiteralSet::WrittenOut(*syntax)) {
      return std::make_unique<LiteralPattern>(Language::kPcre2, text, RequiredTexts(*syntax),
                                              std::move(*set));
    }
    engines.linear = Linear(ParsePcre2);
  }
  if (syntax) engines.prefilter = Prefilter(*syntax);
  return std::make_unique<RegexPattern>(Language::kPcre2, text, std::move(engines));
}

Compiled CompileAny(Language language, std::string_view text, CompileError& error) {
  switch (language) {
    case Language::kOsMatch:
      return CompileOsMatch(text, error);
    case Language::kOsRegex:
      return CompileOsRegex(text, error);
    case Language::kPcre2:
      return CompilePcre2(text, error);
    case Language::kWord:
      break;
  }
  return std::make_unique<LiteralPattern>(Language::kWord, text, LiteralSet::Words(text));
}

}  // namespace

std::unique_ptr<const Pattern> Pattern::Compile(Language language, std::string_view text,
                                                CompileError* error, bool negate) {
  CompileError ignored;
  auto pattern = CompileAny(language, text, error != nullptr ? *error : ignored);
  if (pattern == nullptr || !negate) return pattern;
  return std::make_unique<NegatedPattern>(std::move(pattern));
}

uint64_t Pattern::LimitErrors() { return GivenUpSearches().load(std::memory_order_relaxed); }

std::string Pattern::LastLimitError() { return LastGivenUp(); }

}  // namespace ospatrol::pattern
