// Texts of which one must occur: tables, and random patterns compared with PCRE2.
#include "pattern/required_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "pattern/pcre2_code.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

using Texts = std::vector<std::string>;

Texts Required(const std::string& pattern) {
  const auto syntax = OutlineOfPcre2(pattern);
  return syntax ? RequiredTexts(*syntax) : Texts();
}

TEST(RequiredTexts, WriteOutTheWaysThroughAPattern) {
  const struct {
    const char* pattern;
    Texts texts;
  } rows[] = {
      {R"((?:\$|%24)(?:\{|%7b)j)", {"${j", "$%7bj", "%24{j", "%24%7bj"}},
      {R"(\.(?:jpe?g|gif)$)", {".jpg", ".jpeg", ".gif"}},
      {R"(^SYS(?:DBA|OPER)$)", {"sysdba", "sysoper"}},
      {R"([xy]+=5[12];)", {"=51;", "=52;"}},
      {R"(a{3}b)", {"aaab"}},
      {R"((?:ab){2,}\d)", {"abab"}},
      {R"( +rc: +)", {" rc: "}},
      {R"((?i)K[E]y:)", {"key:"}},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Required(row.pattern), UnorderedElementsAreArray(row.texts)) << row.pattern;
  }
}

TEST(RequiredTexts, AreFoundInWhatMustFollow) {
  const struct {
    const char* pattern;
    Texts texts;
  } rows[] = {
      {R"(^\w+_(?=(?:REJECT|DROP): IN=\S* OUT=))", {": in="}},
      {R"(^\{(?=.*"level":\d)(?=.*"msg":"))", {"\"level\":"}},
      {R"(^\{(?!.*"level":\d)(?=.*"message":"))", {"\"message\":\""}},
      {R"(^ab(?=(?=bcde)\w))", {"ab"}},
      // Not in every match, or not behind the place.
      {R"(ab|(?=bcde)x)", {"x", "ab"}},
      {R"((?:(?=bcde)|y)ab)", {"ab"}},
      {R"((?!bcde)ab)", {"ab"}},
      {R"((?<=bcde)ab)", {"ab"}},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Required(row.pattern), UnorderedElementsAreArray(row.texts)) << row.pattern;
  }
}

TEST(RequiredTexts, TakeTheRarestPartOfAPattern) {
  const struct {
    const char* pattern;
    Texts texts;
  } rows[] = {
      {R"(\d\d: (?:info|warn): \S+ module failed)", {" module failed"}},
      {R"((?:http|ftp)s?://\S*/(?:a|b)/login\.php)", {"/login.php"}},
      {R"([0-9]unbound\[)", {"unbound["}},
      {R"(foobar|xfoobarx)", {"foobar"}},
      // An optional beginning takes no part of it.
      {R"(^(?:\[\w+\] )?sip:\S)", {"sip:"}},
      {R"(on(?:up|go)(?:=|%3d))", {"onup=", "onup%3d", "ongo=", "ongo%3d"}},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Required(row.pattern), UnorderedElementsAreArray(row.texts)) << row.pattern;
  }
}

TEST(RequiredTexts, AreUnknownWhereAWayThroughHasNone) {
  for (const char* pattern : {R"(\w+)", R"((?:abcd)?)", R"((?:abcd)*x?)", R"(abcd|\w+)", R"(^$)",
                              R"([^a])", R"([a-z])"}) {
    EXPECT_THAT(Required(pattern), IsEmpty()) << pattern;
  }
}

TEST(RequiredTexts, StayFew) {
  EXPECT_THAT(Required(R"([abc][abc][abc][abc][abc][abc]-ready)"), SizeIs(1));
  EXPECT_LE(Required(R"([ab][ab][ab][ab][ab][ab][ab][ab])").size(), 64U);
}

TEST(RequiredTexts, OccurInEveryMatchOfRandomPatterns) {
  std::mt19937 engine(17);
  const auto text = [&](const std::vector<std::string>& pieces, size_t max) {
    std::string all;
    for (size_t left = engine() % max + 1; left > 0; --left)
      all += pieces[engine() % pieces.size()];
    return all;
  };
  const std::vector<std::string> pieces = {
      "a",     "b",   "c",     "[ab]",   "[a-c]",   "[^a]",   "(?:",  "(",
      "(?:a|", "(?=", ")",     ")",      ")?",      ")+",     "){2}", "|",
      "|",     "a?",  "b*",    "c+",     "a{2,3}",  "\\b",    "[aA]", "(?-i)",
      "(?=a)", ".",   "[b-]?", "(?!bb)", "[ab]{2}", "(?>ab|", "c?"};
  const std::vector<std::string> subjects = {"a", "b", "c", "A", "B", "-", "aa", "ab", "abc"};
  size_t known = 0, several = 0, matched = 0;
  for (int i = 0; i < 80'000; ++i) {
    const std::string pattern = text(pieces, 9);
    CompileError error;
    const auto code = Pcre2Code::Compile(pattern, {}, error);
    if (code == nullptr) continue;
    const Texts texts = Required(pattern);
    if (texts.empty()) continue;
    ++known;
    several += texts.size() > 1 ? 1 : 0;
    for (int j = 0; j < 10; ++j) {
      const std::string subject = text(subjects, 8);
      Match match;
      const auto result = code->Search(subject, {.match_limit = 100'000}, &match);
      if (result != Pcre2Code::Result::kMatch) continue;
      ++matched;
      const std::string lower = base::ToLower(subject);
      ASSERT_TRUE(
          std::any_of(texts.begin(), texts.end(),
                      [&](const std::string& one) { return lower.find(one) != std::string::npos; }))
          << pattern << " on " << subject;
    }
  }
  EXPECT_GE(known, 5000U);
  EXPECT_GE(several, 1000U);
  EXPECT_GE(matched, known);
}

}  // namespace
}  // namespace ospatrol::pattern
