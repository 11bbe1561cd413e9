#include "pattern/acceptance.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "pattern/os_regex.h"
#include "pattern/pattern.h"
#include "pattern/pcre2_code.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {
namespace {

bool IsSure(std::string_view text) {
  const auto syntax = OutlineOfPcre2(text);
  return syntax && IsSurelyAccepted(*syntax);
}

bool Compiles(std::string_view text, const Pcre2Code::Options& options) {
  CompileError error;
  return Pcre2Code::Compile(text, options, error) != nullptr;
}

// `most`: pieces of one text.
class Texts {
 public:
  Texts(uint32_t seed, size_t most, std::vector<std::string> pieces)
      : engine_(seed), most_(most), pieces_(std::move(pieces)) {}

  std::string Next() {
    std::string text;
    for (size_t left = 1 + engine_() % most_; left > 0; --left) {
      text += pieces_[engine_() % pieces_.size()];
    }
    return text;
  }

 private:
  std::mt19937 engine_;
  size_t most_;
  std::vector<std::string> pieces_;
};

TEST(Acceptance, IsSureOfWhatPeopleWrite) {
  for (const char* text :
       {"^Failed (?:password|keyboard-interactive/pam) for (\\S+) from ([0-9a-f.:]+) port \\d+",
        "^(?:\\w{3} [ \\d]\\d [\\d:]{8} )?sshd\\[\\d{1,5}\\]: ", "a|b|(?i:c)",
        "(?!x)a++(?>b|c)(?=d)", "[^]\\s\"]+$"}) {
    EXPECT_TRUE(IsSure(text)) << text;
  }
}

TEST(Acceptance, LeavesToPcre2WhatOnlyPcre2CanJudge) {
  for (const char* text :
       {"(?<a>x)(?<a>y)", "(?<1a>x)", "[:alpha:]", "[.a.]", "[=a=]", "a{2,1}", "(?i)*", "a(?i)+",
        "x{2}{3}", "(a*)*", "(?=a)*b", "(?<!a)b", "(a)\\1", "(?<=a*)b"}) {
    EXPECT_FALSE(IsSure(text)) << text;
  }
}

TEST(Acceptance, IsNeverSureOfPatternsNearPcre2sLimits) {
  EXPECT_FALSE(IsSure("(?:(?:[ab]{10}c){100}){100}"));
  EXPECT_FALSE(IsSure(std::string(100, '(') + "a" + std::string(100, ')')));
  EXPECT_FALSE(IsSure(std::string(100'000, '(') + "a" + std::string(100'000, ')')));
}

TEST(Acceptance, Pcre2AcceptsEveryPatternOfWhichItIsSure) {
  Texts texts(60, 10, {"a",     "B",       "-",   "\\",  "\\d", "\\b",  "\\x4", "\\Q",   "\\e",
                       "[",     "[",       "]",   "[^",  ":",   ":]",   "[:",   "alpha", ".]",
                       "=",     "(",       "(",   ")",   ")",   "(?:",  "(?",   "(?i)",  "(?s-i",
                       "(?-",   "(*",      "(?<", ">",   "'",   "|",    "^",    "$",     ".",
                       "*",     "+",       "?",   "{",   "}",   "{2}",  "{,3}", "{1,",   "3}",
                       "{9,2}", ",",       "1",   " ",   "\n",  "\xE9", "\\]",  "#",     "\\Z",
                       "\\z",   "[\\d-z]", "a-",  "(?=", "(?!", "(?>",  "(?<=", "++",    "P<n"});
  size_t sure = 0;
  for (int i = 0; i < 400'000; ++i) {
    const std::string text = texts.Next();
    if (!IsSure(text)) continue;
    ++sure;
    ASSERT_TRUE(Compiles(text, {})) << text;
  }
  EXPECT_GE(sure, 10'000U);
}

TEST(Acceptance, Pcre2AcceptsTheLargestPatternsOfWhichItIsSure) {
  Texts texts(61, 12,
              {"(?:[^a]b", "(", ")", ")", "){1,9}", "){3}", "){1,40}", "[a-c]{2,9}", "[^x]+", "\\w",
               "|", "abcdefghijklmnopqrst", "((a)|b)", "(?=", "(?![bc]d", ")+?"});
  size_t sure = 0, unsure = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string text = texts.Next();
    const auto syntax = OutlineOfPcre2(text);
    if (!syntax) continue;
    ++(IsSurelyAccepted(*syntax) ? sure : unsure);
    if (IsSurelyAccepted(*syntax)) {
      ASSERT_TRUE(Compiles(text, {})) << text;
    }
  }
  EXPECT_GE(sure, 1000U);
  EXPECT_GE(unsure, 50U);
}

TEST(Acceptance, Pcre2AcceptsBothTranslationsOfEveryOsRegexOfWhichItIsSure) {
  Texts texts(62, 9,
              {"a",
               "\\w",
               "\\W",
               "\\d",
               "\\p",
               "\\.",
               "\\t",
               "\\\\",
               "\\(",
               "\\)",
               "\\$",
               "(",
               ")",
               "|",
               "^",
               "$",
               "+",
               "*",
               "+",
               ".",
               "[",
               "]",
               "{",
               "}",
               "?",
               "-",
               "\xC3\xA9",
               "\xE2\x84\xAA",
               "\xED\xA0\x80",
               "\xF4\x90\x80\x80",
               "\xFF",
               "k",
               "\xF0\x9F\x98\x80",
               "#",
               "\\<"});
  size_t sure = 0;
  for (int i = 0; i < 20'000; ++i) {
    CompileError error;
    const std::string text = texts.Next();
    const auto regex = TranslateOsRegex(text, error);
    if (!regex || !regex->syntax || !IsSurelyAccepted(*regex->syntax)) continue;
    ++sure;
    ASSERT_TRUE(Compiles(regex->bytes, {.dot_all = true})) << text;
    if (regex->utf.empty()) continue;
    ASSERT_TRUE(Compiles(regex->utf, {.utf = true, .dot_all = true})) << text;
  }
  EXPECT_GE(sure, 1000U);
}

TEST(Acceptance, CodeThatIsMadeLaterAnswersAsCodeThatIsMadeAtOnce) {
  CompileError error;
  const auto now = Pcre2Code::Compile("^(a+)b(c)?", {}, error);
  const auto later = Pcre2Code::Later("^(a+)b(c)?", {}, 2);
  EXPECT_EQ(later->groups(), now->groups());
  EXPECT_EQ(later->anchored(), now->anchored());
  EXPECT_EQ(later->single_start(), now->single_start());
  EXPECT_EQ(later->compiled(), now->compiled());
  for (const char* subject : {"aab", "abc", "xab", ""}) {
    Match first, second;
    const Pcre2Code::Bounds bounds{.match_limit = 1000};
    EXPECT_EQ(later->Search(subject, bounds, &first), now->Search(subject, bounds, &second));
    EXPECT_EQ(first.capture_count, second.capture_count);
    EXPECT_EQ(first.end, second.end);
  }
}

}  // namespace
}  // namespace ospatrol::pattern
