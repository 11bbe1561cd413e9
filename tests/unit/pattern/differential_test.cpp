// All engines must give one answer: random patterns and subjects with a fixed seed, compared with
// PCRE2 alone.
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "pattern/characters.h"
#include "pattern/lead.h"
#include "pattern/literal_set.h"
#include "pattern/os_regex.h"
#include "pattern/pattern.h"
#include "pattern/pcre2_code.h"
#include "pattern/prefilter.h"
#include "pattern/program.h"
#include "pattern/set_sequence.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {
namespace {

struct Found {
  bool matched = false;
  uint32_t end = 0;
  std::vector<std::string> captures;

  bool operator==(const Found&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Found& found) {
  out << (found.matched ? "match to " : "no match ") << found.end;
  for (const auto& capture : found.captures) out << " [" << capture << "]";
  return out;
}

Found Describe(bool matched, const Match& match, std::string_view subject) {
  if (!matched) return {};
  Found found{.matched = true, .end = match.end, .captures = {}};
  for (size_t i = 0; i < match.capture_count; ++i)
    found.captures.emplace_back(match.Capture(subject, i));
  return found;
}

// Nothing when PCRE2 gives up: random patterns may take exponential time.
std::optional<Found> ByPcre2(const Pcre2Code& code, std::string_view subject) {
  Match match;
  const auto result = code.Search(subject, {.match_limit = 1'000'000, .interpret = true}, &match);
  if (result == Pcre2Code::Result::kLimit) return std::nullopt;
  return Describe(result == Pcre2Code::Result::kMatch, match, subject);
}

Found ByProgram(const Program& program, std::string_view subject) {
  Match match;
  const bool matched = program.Search(subject, &match);
  EXPECT_EQ(program.Search(subject, nullptr), matched);
  return Describe(matched, match, subject);
}

Found ByPattern(const Pattern& pattern, std::string_view subject) {
  Match match;
  const bool matched = pattern.Find(subject, match);
  EXPECT_EQ(pattern.Matches(subject), matched);
  return Describe(matched, match, subject);
}

class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}

  size_t Below(size_t limit) { return engine_() % limit; }

  std::string Text(const std::vector<std::string>& pieces, size_t max) {
    std::string text;
    for (size_t left = Below(max + 1); left > 0; --left) text += pieces[Below(pieces.size())];
    return text;
  }

 private:
  std::mt19937 engine_;
};

bool Occurs(const std::vector<std::string>& literals, std::string_view subject) {
  const std::string lower = base::ToLower(subject);
  for (const auto& literal : literals) {
    if (lower.find(literal) != std::string::npos) return true;
  }
  return literals.empty();
}

const std::vector<std::string> kAsciiSubject = {"a",  "b",   "A",   "k",   "S",   "1",  "2",
                                                " ",  " ",   ".",   ":",   "-",   "\\", "+",
                                                "ab", "foo", "FOO", "bar", "x y", "\t"};
const std::vector<std::string> kWideSubject = {"a",
                                               "b",
                                               "k",
                                               "S",
                                               "1",
                                               " ",
                                               ":",
                                               "\xc3\xa9",
                                               "\xc3\x89",
                                               "\xc5\xbf",
                                               "\xe2\x84\xaa",
                                               "\xd0\xb6",
                                               "\xd0\x96",
                                               "foo",
                                               "\xf0\x9f\x98\x80"};
const std::vector<std::string> kStrayBytes = {"\xc3",     "\xa9",         "\xff",
                                              "\xe2\x84", "\xf0\x9f\x98", "\xed\xa0\x80"};

const std::vector<std::string> kOsRegexPieces = {
    "\\w",  "\\w+", "\\d",  "\\d*", "\\s",  "\\s+",  "\\S+",   "\\S", "\\.", "\\.+", "\\.*", "\\p",
    "\\p*", "\\W",  "\\D+", "\\t",  "\\\\", "\\\\+", "\\\\a+", "a",   "b",   "k",    "s",    ":",
    "foo",  " ",    "(",    "(",    ")",    ")",     "|",      "^",   "$",   "+",    "."};

TEST(Differential, OsRegexEnginesAgreeOnAsciiSubjects) {
  Dice dice(20240611);
  size_t compiled = 0;
  size_t given_up = 0;
  size_t matched = 0;
  for (int i = 0; i < 60'000 && compiled < 2000; ++i) {
    const std::string text = dice.Text(kOsRegexPieces, 9);
    CompileError error;
    const auto pattern = Pattern::Compile(Language::kOsRegex, text, &error);
    if (pattern == nullptr) continue;
    ++compiled;
    const auto translated = TranslateOsRegex(text, error);
    ASSERT_TRUE(translated);
    const auto code = Pcre2Code::Compile(translated->bytes, {.dot_all = true}, error);
    ASSERT_NE(code, nullptr) << text;
    ASSERT_TRUE(translated->syntax) << text;
    const auto program = Program::From(*translated->syntax);
    ASSERT_TRUE(program);
    for (int j = 0; j < 12; ++j) {
      const std::string subject = dice.Text(kAsciiSubject, 14);
      const auto expected = ByPcre2(*code, subject);
      given_up += expected ? 0 : 1;
      if (!expected) continue;
      matched += expected->matched ? 1 : 0;
      ASSERT_EQ(ByProgram(*program, subject), *expected) << text << " on " << subject;
      ASSERT_EQ(ByPattern(*pattern, subject), *expected) << text << " on " << subject;
      if (expected->matched) {
        ASSERT_TRUE(Occurs(pattern->Literals(), subject)) << text << " on " << subject;
      }
    }
  }
  EXPECT_GE(compiled, 1500U);
  EXPECT_EQ(given_up, 0U);
  EXPECT_GE(matched, compiled);
}

TEST(Differential, OsRegexEnginesAgreeOnUtf8Subjects) {
  Dice dice(42);
  auto pieces = kOsRegexPieces;
  pieces.insert(pieces.end(), {"\xc3\xa9", "\xc5\xbf", "\xd0\x96", "\xe2\x84\xaa"});
  size_t compiled = 0;
  size_t given_up = 0;
  for (int i = 0; i < 60'000 && compiled < 2000; ++i) {
    const std::string text = dice.Text(pieces, 8);
    CompileError error;
    const auto pattern = Pattern::Compile(Language::kOsRegex, text, &error);
    if (pattern == nullptr) continue;
    // Anchored literals are compared by bytes.
    if ((text.starts_with('^') || text.ends_with('$')) &&
        text.find_first_of("\\()|+.") == std::string::npos)
      continue;
    ++compiled;
    const auto translated = TranslateOsRegex(text, error);
    const auto code = Pcre2Code::Compile(translated->utf, {.utf = true, .dot_all = true}, error);
    ASSERT_NE(code, nullptr) << text;
    const auto program = Program::From(*translated->syntax);
    for (int j = 0; j < 12; ++j) {
      const std::string subject = dice.Text(kWideSubject, 10);
      const auto expected = ByPcre2(*code, subject);
      given_up += expected ? 0 : 1;
      if (!expected) continue;
      ASSERT_EQ(ByProgram(*program, subject), *expected) << text << " on " << subject;
      ASSERT_EQ(ByPattern(*pattern, subject), *expected) << text << " on " << subject;
      if (expected->matched && !HasLetterTwins(subject)) {
        ASSERT_TRUE(Occurs(pattern->Literals(), subject)) << text << " on " << subject;
      }
    }
  }
  EXPECT_GE(compiled, 1000U);
  EXPECT_EQ(given_up, 0U);
}

// Each stray byte stands for itself, so an answer must not change when all of them are replaced by
// one private character that the pattern does not name.
TEST(Differential, StrayBytesBehaveAsOneCharacterEach) {
  Dice dice(7);
  auto subjects = kWideSubject;
  subjects.insert(subjects.end(), kStrayBytes.begin(), kStrayBytes.end());
  size_t compiled = 0;
  for (int i = 0; i < 40'000 && compiled < 2000; ++i) {
    const std::string text = dice.Text(kOsRegexPieces, 8);
    CompileError error;
    const auto pattern = Pattern::Compile(Language::kOsRegex, text, &error);
    if (pattern == nullptr) continue;
    ++compiled;
    for (int j = 0; j < 8; ++j) {
      const std::string subject = dice.Text(subjects, 10);
      std::string clean;
      for (size_t at = 0; at < subject.size();) {
        const Character character = DecodeCharacter(subject, at);
        AppendUtf8(character.code >= kStrayByte ? 0x10FF00 : character.code, clean);
        at += character.size;
      }
      const Found found = ByPattern(*pattern, subject);
      const Found expected = ByPattern(*pattern, clean);
      ASSERT_EQ(found.matched, expected.matched) << text << " on " << subject;
      ASSERT_EQ(found.captures.size(), expected.captures.size()) << text << " on " << subject;
    }
  }
  EXPECT_GE(compiled, 1000U);
}

TEST(Differential, OsMatchAgreesWithItsTranslation) {
  Dice dice(99);
  const std::vector<std::string> pieces = {"a", "b", "k", "foo", "s",  " ",        "^",
                                           "$", "|", "|", ".",   "\\", "\xc3\xa9", "("};
  for (int i = 0; i < 6000; ++i) {
    const std::string text = dice.Text(pieces, 7);
    std::string translated;
    bool has_wide = false;
    for (const char c : text) {
      if (std::string_view(".\\(").find(c) != std::string_view::npos) translated += '\\';
      has_wide |= static_cast<uint8_t>(c) >= 0x80;
      translated += c;
    }
    // Not the anchored literals that are compared by bytes.
    if (has_wide && text.find('|') == std::string::npos) continue;
    CompileError error;
    const auto pattern = Pattern::Compile(Language::kOsMatch, text, &error);
    const auto code = Pcre2Code::Compile(translated, {.utf = true}, error);
    ASSERT_NE(code, nullptr) << text;
    const bool anchored =
        text.find('|') == std::string::npos && (text.starts_with('^') || text.ends_with('$'));
    for (int j = 0; j < 10; ++j) {
      const std::string subject =
          anchored ? dice.Text(kAsciiSubject, 8) : dice.Text(kWideSubject, 8);
      ASSERT_EQ(ByPattern(*pattern, subject), ByPcre2(*code, subject).value_or(Found()))
          << text << " on " << subject;
    }
  }
}

TEST(Differential, TheLinearMatcherAgreesWithPcre2) {
  Dice dice(4711);
  const std::vector<std::string> pieces = {
      "a",    "b",      "k",      "foo",     "\\.",   ".",    ".*",     ".+?",          "a*",
      "a+",   "b?",     "[ab]+",  "[^ab]*?", "\\d+",  "\\s*", "\\S+",   "\\w+",         "\\b",
      "\\B",  "(",      "(",      "(?:",     "(?<n>", ")",    ")",      ")+",           ")*",
      ")??",  "){1,2}", ")*?",    "|",       "^",     "$",    "\\z",    "(?i)",         "(?-i)",
      "(?s)", "a{2}",   "a{1,3}", "a{2,}?",  "{",     "}",    "[^\\d]", "[[:alpha:]]+", "[a-c1-2]",
      "[]a]", "\\x41",  "[-a]",   "[^-: ]",  "\\h",   "\\\\", ":"};
  size_t regular = 0;
  size_t given_up = 0;
  size_t matched = 0;
  for (int i = 0; i < 150'000 && regular < 4000; ++i) {
    const std::string text = dice.Text(pieces, 8);
    CompileError error;
    const auto code = Pcre2Code::Compile(text, {}, error);
    if (code == nullptr) continue;
    const auto syntax = ParsePcre2(text);
    if (!syntax) continue;
    ++regular;
    ASSERT_EQ(syntax->groups, code->groups()) << text;
    const auto program = Program::From(*syntax);
    ASSERT_TRUE(program);
    const auto pattern = Pattern::Compile(Language::kPcre2, text, &error);
    ASSERT_EQ(pattern == nullptr, text.empty());
    for (int j = 0; j < 12; ++j) {
      const std::string subject =
          dice.Text(j % 4 == 0 ? kWideSubject : kAsciiSubject, 14) + (j % 5 == 0 ? "\n" : "");
      const auto expected = ByPcre2(*code, subject);
      given_up += expected ? 0 : 1;
      if (!expected) continue;
      matched += expected->matched ? 1 : 0;
      ASSERT_EQ(ByProgram(*program, subject), *expected) << text << " on " << subject;
      if (pattern == nullptr || subject.ends_with('\n'))
        continue;  // anchored literals: `$` is the very end
      ASSERT_EQ(ByPattern(*pattern, subject), *expected) << text << " on " << subject;
      if (expected->matched) {
        ASSERT_TRUE(Occurs(pattern->Literals(), subject)) << text << " on " << subject;
      }
    }
  }
  EXPECT_GE(regular, 2500U);
  EXPECT_LE(given_up, 20U);
  EXPECT_GE(matched, regular);
}

TEST(Differential, SequencesOfSetsAgreeWithPcre2) {
  Dice dice(815);
  const std::vector<std::string> pieces = {
      "^",     "^", "$",   "$",    "\\z",    ".",       "\\S",       "\\d",  "[ab1]",
      "[^ab]", "a", "\\.", "a{2}", "\\d{2}", "[ab]{3}", "(?:a[12])", "b{0}", "(?-i)k"};
  const std::vector<std::string> bytes = {"a", "b", "A", "k", "1", "2", ".", " ", "\n", "\xc3"};
  size_t sequences = 0;
  size_t matched = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = dice.Text(pieces, 5);
    CompileError error;
    const auto code = Pcre2Code::Compile(text, {}, error);
    ASSERT_NE(code, nullptr) << text;
    const auto syntax = ParsePcre2(text);
    const auto sets = syntax ? SetSequence::From(*syntax) : std::nullopt;
    if (!sets) continue;
    ++sequences;
    for (int j = 0; j < 12; ++j) {
      const std::string subject = dice.Text(bytes, 6);
      const Found expected = ByPcre2(*code, subject).value_or(Found());
      matched += expected.matched ? 1 : 0;
      const auto end = sets->Find(subject);
      ASSERT_EQ(end.has_value(), expected.matched) << text << " on " << subject;
      ASSERT_EQ(end.value_or(0), expected.end) << text << " on " << subject;
    }
  }
  EXPECT_GE(sequences, 1000U);
  EXPECT_GE(matched, sequences);
}

// Exact repetitions of one character become literals.
TEST(Differential, RepeatedLiteralsAgreeWithPcre2) {
  Dice dice(816);
  const std::vector<std::string> pieces = {"a{2}",   "b{3}", "a", "b", "k{1}",
                                           "a{2,3}", "a{0}", "|", "a+"};
  const std::vector<std::string> letters = {"a", "a", "b", "b", "A", "k", " "};
  size_t matched = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string text = dice.Text(pieces, 6);
    CompileError error;
    const auto pattern = Pattern::Compile(Language::kPcre2, text, &error);
    if (pattern == nullptr) continue;
    const auto code = Pcre2Code::Compile(text, {}, error);
    for (int j = 0; j < 12; ++j) {
      const std::string subject = dice.Text(letters, 12);
      const Found expected = ByPcre2(*code, subject).value_or(Found());
      matched += expected.matched ? 1 : 0;
      ASSERT_EQ(ByPattern(*pattern, subject), expected) << text << " on " << subject;
      if (expected.matched) {
        ASSERT_TRUE(Occurs(pattern->Literals(), subject)) << text << " on " << subject;
      }
    }
  }
  EXPECT_GE(matched, 5000U);
}

TEST(Differential, WaysWrittenOutAgreeWithPcre2) {
  Dice dice(817);
  const std::vector<std::string> pieces = {
      "^",   "^(?:", "^(?:", "(?:", "(?:",  ")",     ")$",    ")$",      ")?",   ")??",
      "|",   "|",    "$",    "\\z", "[12]", "\\d",   "a",     "b",       "[ab]", "a?",
      "k??", "1",    "b{2}", "ab",  "\\.",  "[a-c]", "(?-i)", "a1b2a1b2"};
  const std::vector<std::string> subjects = {"a",  "b",  "A",  "k",  "1",    "2",        ".",
                                             "ab", "a1", "\n", "b1", "\xc3", "a1b2a1b2", "B"};
  size_t sets = 0;
  size_t matched = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string text = dice.Text(pieces, 8);
    CompileError error;
    const auto code = Pcre2Code::Compile(text, {}, error);
    const auto syntax = code != nullptr ? ParsePcre2(text) : std::nullopt;
    const auto set = syntax ? LiteralSet::WrittenOut(*syntax) : std::nullopt;
    if (!set) continue;
    ++sets;
    for (int j = 0; j < 12; ++j) {
      const std::string subject = dice.Text(subjects, 5);
      const Found expected = ByPcre2(*code, subject).value_or(Found());
      matched += expected.matched ? 1 : 0;
      const auto hit = set->Find(subject);
      ASSERT_EQ(hit.has_value(), expected.matched) << text << " on " << subject;
      ASSERT_EQ(hit ? hit->end : 0, expected.end) << text << " on " << subject;
      ASSERT_EQ(set->Matches(subject), expected.matched) << text << " on " << subject;
    }
  }
  EXPECT_GE(sets, 3000U);
  EXPECT_GE(matched, sets);
}

// What a lead keeps out, PCRE2 does not match; and it keeps out most of it.
TEST(Differential, LeadsFitWhatPcre2Matches) {
  Dice dice(818);
  const std::vector<std::string> begins = {"^\\S+", "^\\w+", "^[ab]+", "^\\d*", "^[^ 1]+"};
  const std::vector<std::string> pieces = {" ",    "-",    "a",   "[ab]",  "\\d+",  "\\S+",
                                           "\\w*", "b{2}", "\\b", "(?=a)", "(?!-)", "[^a]+",
                                           "1?",   ".*",   "a+?", "\\s*",  "$"};
  const std::vector<std::string> subjects = {"a", "b", "A", "1", " ", "-", "ab", "1 ", "a ", "\n"};
  size_t leads = 0, matched = 0, kept_out = 0, missed = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = begins[dice.Below(begins.size())] + dice.Text(pieces, 7);
    CompileError error;
    const auto code = Pcre2Code::Compile(text, {}, error);
    const auto syntax = code != nullptr ? OutlineOfPcre2(text) : std::nullopt;
    if (!syntax) continue;
    const Lead lead(*syntax);
    if (lead.empty()) continue;
    ++leads;
    for (int j = 0; j < 12; ++j) {
      const std::string subject = dice.Text(subjects, 8);
      const bool matches = ByPcre2(*code, subject).value_or(Found()).matched;
      const bool fits = lead.Fits(subject);
      ASSERT_TRUE(fits || !matches) << text << " on " << subject;
      matched += matches ? 1 : 0;
      kept_out += !fits ? 1 : 0;
      missed += fits && !matches ? 1 : 0;
    }
  }
  EXPECT_GE(leads, 2000U);
  EXPECT_GE(matched, leads / 10);
  EXPECT_GE(kept_out, missed);
}

TEST(Differential, LiteralSearchFindsWhatACarefulLoopFinds) {
  Dice dice(3);
  const std::vector<std::string> pieces = {"a", "B", "@", "`", "[", "{", "q", "e", "\xc3", " "};
  for (int i = 0; i < 10'000; ++i) {
    const std::string needle = dice.Text(pieces, 5);
    const std::string subject = dice.Text(pieces, 70);
    const size_t expected = base::ToLower(subject).find(base::ToLower(needle));
    ASSERT_EQ(Literal(needle).Find(subject), expected) << needle << " in " << subject;
  }
}

}  // namespace
}  // namespace ospatrol::pattern
