#include "pattern/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pattern/os_regex.h"

namespace ospatrol::pattern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<const Pattern> Make(Language language, std::string_view text, bool negate = false) {
  CompileError error;
  auto pattern = Pattern::Compile(language, text, &error, negate);
  EXPECT_NE(pattern, nullptr) << text << ": " << error.reason;
  return pattern;
}

CompileError Refused(Language language, std::string_view text) {
  CompileError error;
  EXPECT_EQ(Pattern::Compile(language, text, &error), nullptr) << text;
  return error;
}

std::vector<std::string> Captures(const Pattern& pattern, std::string_view subject) {
  Match match;
  if (!pattern.Find(subject, match)) return {"no match"};
  std::vector<std::string> captures;
  for (size_t i = 0; i < match.capture_count; ++i) captures.emplace_back(match.Capture(subject, i));
  return captures;
}

TEST(OsRegex, QuantifiersAreLazyUnlessTheyStandLast) {
  const struct {
    const char* pattern;
    const char* subject;
    std::vector<std::string> captures;
  } rows[] = {
      {R"((\w+)(\d+))", "ab123", {"ab", "123"}},
      {R"((\w+)(\d*))", "ab123", {"a", ""}},
      {R"((\S+)\s*)", "hello", {"h"}},
      {R"((\S+)\s+)", "hello  x", {"hello"}},
      {R"((\.+) to (\.+))", "a to b to c", {"a", "b to c"}},
      {R"((\S+):(\d+)$)", "a:b:22", {"a:b", "22"}},
      {R"((\S+):(\S+))", "a:b:c d", {"a", "b:c"}},
      {R"((\w+|\d+) foo)", "12 foo", {"12"}},
      {R"((\S+), (\S+), (\S+))", "a, b, c, d", {"a", "b", "c,"}},
      {R"((\d*))", "ab123cd", {""}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Captures(*Make(Language::kOsRegex, row.pattern), row.subject), row.captures)
        << row.pattern;
  }
}

TEST(OsRegex, IsTranslatedToPcre2) {
  const struct {
    const char* pattern;
    const char* pcre2;
  } rows[] = {
      {R"(^user (\w+) from (\S+)$)", R"(^user ([A-Za-z0-9@_-]+?) from ([^ ]+?)\z)"},
      {R"((\d+) (\w+))", R"(([0-9]+?) ([A-Za-z0-9@_-]+))"},
      {R"(\w+ \d*|\s+x)", R"([A-Za-z0-9@_-]+? [0-9]*|[ ]+?x)"},
      {R"(a.b+c)", R"(a\.b\+c)"},
      {R"(\.+)", R"(.+)"},
      {R"([\d+])", R"(\[[0-9]+?\])"},
      {R"(\d++)", R"([0-9]+?\+)"},
      {R"(\\+)", R"(\\+?)"},
      {R"(^\S+|^\D+)", R"(^[^ ]+|^[^0-9]+)"},
  };
  for (const auto& row : rows) {
    CompileError error;
    const auto translated = TranslateOsRegex(row.pattern, error);
    ASSERT_TRUE(translated) << row.pattern;
    EXPECT_EQ(translated->bytes, row.pcre2);
    EXPECT_EQ(translated->utf, row.pcre2);
  }
}

TEST(OsRegex, SaysWhatIsWrongAndWhere) {
  const auto unknown = Refused(Language::kOsRegex, R"(abc\q)");
  EXPECT_EQ(unknown.offset, 3U);
  EXPECT_THAT(unknown.reason, HasSubstr("before \"q\""));
  EXPECT_EQ(Refused(Language::kOsRegex, R"(ab\)").offset, 2U);
  EXPECT_EQ(Refused(Language::kOsRegex, "ab(c").offset, 2U);
  EXPECT_EQ(Refused(Language::kOsRegex, "ab)c").offset, 2U);
  EXPECT_THAT(Refused(Language::kOsRegex, "").reason, HasSubstr("empty"));
  EXPECT_THAT(Refused(Language::kOsRegex, R"(\\^+)").reason, HasSubstr("translation"));
}

TEST(OsRegex, RepeatsAGroupWhenAnEscapedBackslashStandsTwoBytesBefore) {
  const auto repeated = Make(Language::kOsRegex, R"(x(\\)+)");
  EXPECT_THAT(Captures(*repeated, R"(x\\\)"), ElementsAre("\\"));
  const auto can_be_empty = Make(Language::kOsRegex, R"(x(|\\)+)");
  EXPECT_TRUE(can_be_empty->Matches("x"));
  EXPECT_TRUE(can_be_empty->Matches("x\xff"));
}

TEST(OsRegex, DeepNestingIsRefusedNotCrashedOn) {
  const std::string deep = std::string(1000, '(') + "a" + std::string(1000, ')');
  EXPECT_THAT(Refused(Language::kOsRegex, deep).reason, HasSubstr("nested"));
}

TEST(OsRegex, AStrayByteIsOneCharacterAndCapturesAreByteExact) {
  const auto pattern = Make(Language::kOsRegex, R"(^(\.)(\.) user (\S+)$)");
  EXPECT_THAT(Captures(*pattern, "\xff\xc3 user \xe9t\xe9"),
              ElementsAre("\xff", "\xc3", "\xe9t\xe9"));
  EXPECT_THAT(Captures(*pattern, "\xc3\xa9\xff user x"), ElementsAre("\xc3\xa9", "\xff", "x"));
  EXPECT_TRUE(Make(Language::kOsRegex, "a\xff(b)")
                  ->Matches("A\xff"
                            "B"));
  EXPECT_FALSE(Make(Language::kOsRegex, "\xa9(b)")
                   ->Matches("\xc3\xa9"
                             "b"));
}

TEST(OsRegex, LiteralsAboveAsciiFoldCase) {
  const auto pattern = Make(Language::kOsRegex, "(\\w+) \xc3\xa9t\xc3\xa9");
  EXPECT_TRUE(pattern->Matches("x \xc3\x89T\xc3\x89"));
  EXPECT_TRUE(pattern->Matches("\xff x \xc3\x89T\xc3\x89"))
      << "also when a stray byte stands before";
  EXPECT_TRUE(Make(Language::kOsRegex, "\xe2\x84\xaa(e)y")->Matches("KEY"));
}

TEST(OsMatch, LongPatternsAreRefused) {
  EXPECT_NE(Make(Language::kOsMatch, std::string(2048, 'a')), nullptr);
  EXPECT_EQ(Refused(Language::kOsMatch, std::string(2049, 'a')).offset, 2048U);
  EXPECT_EQ(Refused(Language::kOsRegex, std::string(2049, 'a')).offset, 2048U);
  EXPECT_NE(Make(Language::kPcre2, std::string(8191, 'a')), nullptr);
}

TEST(OsMatch, FindsTheLeftmostThenTheFirstAlternative) {
  const auto pattern = Make(Language::kOsMatch, "bcd|b|a");
  Match match;
  ASSERT_TRUE(pattern->Find("xBCDa", match));
  EXPECT_EQ(match.end, 4U);
  ASSERT_TRUE(pattern->Find("xabcd", match));
  EXPECT_EQ(match.end, 2U);
  ASSERT_TRUE(Make(Language::kOsMatch, "|a")->Find("a", match));
  EXPECT_EQ(match.end, 0U);
}

TEST(OsMatch, FoldsCaseAboveAsciiExceptInAnchoredLiterals) {
  EXPECT_TRUE(Make(Language::kOsMatch, "\xd0\xb6")->Matches("x\xd0\x96"));
  EXPECT_TRUE(Make(Language::kOsMatch, "^\xc3\xa9|x")->Matches("\xc3\x89"));
  EXPECT_FALSE(Make(Language::kOsMatch, "^\xc3\xa9")->Matches("\xc3\x89"));
  EXPECT_TRUE(Make(Language::kOsMatch, "task")->Matches("TA\xc5\xbf\xe2\x84\xaa"));
  EXPECT_TRUE(Make(Language::kOsMatch, "task")->Matches("\xff\xfe task"))
      << "stray bytes do not disturb";
  EXPECT_FALSE(Make(Language::kOsMatch, "\xa9")->Matches("\xc3\xa9"))
      << "half of a character is none";
  EXPECT_TRUE(Make(Language::kOsMatch, "\xa9")->Matches("\xa9"));
}

TEST(Pcre2, RunsInByteModeIgnoringCase) {
  EXPECT_TRUE(Make(Language::kPcre2, "^..$")->Matches("\xc3\xa9"));
  EXPECT_FALSE(Make(Language::kPcre2, "\xc3\x89")->Matches("\xc3\xa9"));
  EXPECT_TRUE(Make(Language::kPcre2, "(?=.*FOO).*bar")->Matches("BAR foo"));
  EXPECT_TRUE(Make(Language::kPcre2, R"((\w)\1)")->Matches("xaAx"));
  EXPECT_FALSE(Make(Language::kPcre2, R"(^(?-i)Foo \d)")->Matches("foo 1"));
}

TEST(Pcre2, TakesInlineOptions) {
  EXPECT_TRUE(Make(Language::kPcre2, "(*UTF)^.$")->Matches("\xc3\xa9"));
  EXPECT_TRUE(Make(Language::kPcre2, "(?s)^a.b")->Matches("a\nb"));
  EXPECT_TRUE(Make(Language::kPcre2, "(?m)^b$")->Matches("a\nb\nc"));
}

TEST(Pcre2, UtfPatternsAreSafeOnStrayBytes) {
  const auto pattern = Make(Language::kPcre2, R"((*UTF)(\w+) (\S+))");
  for (const char* subject :
       {"\xff\xfe", "a\xc3 b", "\xed\xa0\x80 x y", "abc \xf0\x9f", "\x80\x80\x80"}) {
    Match match;
    pattern->Find(subject, match);
  }
  EXPECT_THAT(Captures(*pattern, "\xff user root"), ElementsAre("user", "root"));
  std::string stray(3000, '\x80');
  EXPECT_THAT(Captures(*pattern, stray + "user root"), ElementsAre("user", "root"));
}

TEST(Pcre2, SaysWhatIsWrongAndWhere) {
  const auto error = Refused(Language::kPcre2, "ab(c");
  EXPECT_EQ(error.offset, 4U);
  EXPECT_THAT(error.reason, HasSubstr("parenthesis"));
  EXPECT_THAT(Refused(Language::kPcre2, "").reason, HasSubstr("empty"));
}

TEST(Pcre2, GroupsThatTookNoPartAreRemovedAndTheRestMovesUp) {
  EXPECT_THAT(Captures(*Make(Language::kPcre2, "(a)?(b)?(c)"), "c"), ElementsAre("c"));
  EXPECT_THAT(Captures(*Make(Language::kPcre2, "(a*)(?:(x)|(c))"), "c"), ElementsAre("", "c"));
}

TEST(Captures, AreAtMost64) {
  std::string text;
  for (int i = 0; i < 70; ++i) text += "(\\w)";
  for (const auto language : {Language::kOsRegex, Language::kPcre2}) {
    const auto pattern = Make(language, text);
    EXPECT_EQ(pattern->GroupCount(), 64U);
    EXPECT_EQ(Captures(*pattern, std::string(70, 'a')).size(), 64U);
    EXPECT_EQ(Captures(*pattern, std::string(70, 'a') + "\xff").size(), 64U);
  }
  std::string mostly_unset;
  for (int i = 0; i < 70; ++i) mostly_unset += "(x)|";
  EXPECT_THAT(Captures(*Make(Language::kPcre2, mostly_unset + "(b)"), "b"), ElementsAre("b"));
}

TEST(Captures, OfAnEarlierMatchAreReset) {
  Match match;
  ASSERT_TRUE(Make(Language::kOsRegex, R"((\d+))")->Find("12", match));
  ASSERT_EQ(match.capture_count, 1U);
  ASSERT_TRUE(Make(Language::kOsRegex, "^abc")->Find("abc", match));
  EXPECT_EQ(match.capture_count, 0U);
}

TEST(Negation, AnswersTheOppositeAndHasNoFind) {
  const auto pattern = Make(Language::kOsRegex, R"(a(\d))", true);
  EXPECT_FALSE(pattern->Matches("a1"));
  EXPECT_TRUE(pattern->Matches("a"));
  Match match;
  EXPECT_FALSE(pattern->Find("a", match));
  EXPECT_EQ(pattern->GroupCount(), 1U);
  EXPECT_THAT(pattern->Literals(), IsEmpty());
}

TEST(Word, AnswersForGroupLists) {
  EXPECT_TRUE(Make(Language::kWord, "attack")->Matches("web,web_attacks,"));
  EXPECT_FALSE(Make(Language::kWord, "")->Matches("anything"));
  EXPECT_TRUE(Make(Language::kWord, "|x")->Matches("anything"));
}

TEST(Literals, NameTextsOfWhichOneMustOccur) {
  const struct {
    Language language;
    const char* text;
    std::vector<std::string> literals;
  } rows[] = {
      {Language::kOsMatch, "Failed|ERROR:", {"failed", "error:"}},
      {Language::kOsMatch, "failed|", {}},
      {Language::kOsRegex, R"(^\S+ Failed (\w+) for)", {" failed "}},
      {Language::kOsRegex, R"((pass|drop)\s(\w+))", {"pass", "drop"}},
      {Language::kOsRegex, R"(\w+)", {}},
      {Language::kPcre2, R"(^(?:sshd|login)\[\d+\])", {"sshd", "login"}},
      {Language::kPcre2, R"(ab?c{2}longer(?:x)?)", {"longer"}},
      {Language::kPcre2, R"((?=x)abc)", {"abc"}},
      {Language::kWord, "sshd|^ids", {"sshd", "ids"}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Make(row.language, row.text)->Literals(), row.literals) << row.text;
  }
}

TEST(Subjects, MayBeEmptyWithoutAnAddress) {
  Match match;
  for (const auto language :
       {Language::kOsMatch, Language::kOsRegex, Language::kPcre2, Language::kWord}) {
    EXPECT_FALSE(Make(language, "abc")->Matches(std::string_view()));
    EXPECT_FALSE(Make(language, "^abc")->Find(std::string_view(), match));
  }
  EXPECT_TRUE(Make(Language::kPcre2, "^\\d*$")->Find(std::string_view(), match));
  EXPECT_TRUE(Make(Language::kOsRegex, "^\\d*$")->Find(std::string_view(), match));
}

}  // namespace
}  // namespace ospatrol::pattern
