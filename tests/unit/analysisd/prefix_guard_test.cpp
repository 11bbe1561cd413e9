#include "analysisd/prefix_guard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace ospatrol::analysisd {
namespace {

using pattern::Language;

// First bytes with which a match can begin, sorted; "*" = any.
std::string First(Language language, std::string_view pattern) {
  const auto bytes = PrefixGuard(language, pattern).FirstBytes();
  if (bytes.all()) return "*";
  std::string found;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i]) found += static_cast<char>(i);
  }
  return found;
}

TEST(PrefixGuard, ReadsBeginningsOfOsMatch) {
  EXPECT_EQ(First(Language::kOsMatch, "^sshd"), "s");
  EXPECT_EQ(First(Language::kOsMatch, "^Sshd$|^telnetd"), "st");
  EXPECT_EQ(First(Language::kOsMatch, "^(pam"), "(");
  EXPECT_EQ(First(Language::kOsMatch, "^\\d"), "\\");
  for (const std::string_view open : {"sshd", "^a|b", "^a|", "^", "^$", "", "|^a", "^\xc3\xa9"}) {
    EXPECT_EQ(First(Language::kOsMatch, open), "*") << open;
  }
}

TEST(PrefixGuard, ReadsBeginningsOfOsRegex) {
  EXPECT_EQ(First(Language::kOsRegex, "^abc \\d+"), "a");
  EXPECT_EQ(First(Language::kOsRegex, "^(ab|cd) x|^\\(e"), "(ac");
  EXPECT_EQ(First(Language::kOsRegex, "^[\\w+]"), "[");
  EXPECT_EQ(First(Language::kOsRegex, "^x\\w+|^y"), "xy");
  for (const std::string_view open :
       {"abc", "^\\d+", "^a\\w|\\.b", "(^a|^b)", "^(a|)", "^\\(*x", "^a+", "^(\\w|b)"}) {
    EXPECT_EQ(First(Language::kOsRegex, open), "*") << open;
  }
}

TEST(PrefixGuard, ReadsBeginningsOfPcre2) {
  EXPECT_EQ(First(Language::kPcre2, "^(?:su|Do)$"), "ds");
  EXPECT_EQ(First(Language::kPcre2, "^a[|]b|^\\[c"), "[a");
  EXPECT_EQ(First(Language::kPcre2, "^ab?c|^d(?=e)"), "ad");
  EXPECT_EQ(First(Language::kPcre2, "^a(b|c)*"), "a");
  EXPECT_EQ(First(Language::kPcre2, "^x[]|]"), "x");
  for (const std::string_view open :
       {"abc", "^a?b", "^a*", "^a{0}b", "(?m)^a", "(?-i)^a", "(*UTF)^a", "^\\Qa\\E", "^.", "^[ab]",
        "^(?!x)y", "^a|b", "^(a|b)?c", "^(?x) a", "^(?#c)a", "^\\bfoo", "^a|^"}) {
    EXPECT_EQ(First(Language::kPcre2, open), "*") << open;
  }
}

TEST(PrefixGuard, ComparesTheWholeBeginningWithoutCase) {
  const PrefixGuard guard(Language::kOsMatch, "^sshd|^telnet");
  EXPECT_TRUE(guard.MayMatch("SSHD[1]"));
  EXPECT_TRUE(guard.MayMatch("telnetd"));
  EXPECT_FALSE(guard.MayMatch("ssh"));
  EXPECT_FALSE(guard.MayMatch("sshe"));
  EXPECT_FALSE(guard.MayMatch(""));
}

TEST(PrefixGuard, LetsEverythingBeyondAsciiPass) {
  const PrefixGuard guard(Language::kOsRegex, "^task");
  EXPECT_TRUE(guard.MayMatch("ta\xc5\xbfk"));
  EXPECT_FALSE(guard.MayMatch("to\xc5\xbfk"));
  EXPECT_TRUE(PrefixGuard::NeedsAll("\xe2\x84\xaa"));
  EXPECT_TRUE(PrefixGuard::NeedsAll(""));
  EXPECT_FALSE(PrefixGuard::NeedsAll("a"));
}

TEST(PrefixGuard, NeverRefusesWhatThePatternMatches) {
  const std::pair<Language, std::string> kPatterns[] = {
      {Language::kOsMatch, "^abc|^abd$"},      {Language::kOsMatch, "^a b"},
      {Language::kOsRegex, "^ab\\d+|^b\\s*a"}, {Language::kOsRegex, "^(a|bc)\\p"},
      {Language::kOsRegex, "^\\\\a+"},         {Language::kOsRegex, "^a\\(*b"},
      {Language::kPcre2, "^(?:ab|ba){1}"},     {Language::kPcre2, "^ab|^b+a"},
      {Language::kPcre2, "^a(?:b|c)d?"},       {Language::kPcre2, "^a\\x62"}};
  const std::string alphabet = "abcdA1 .\\(";
  for (const auto& [language, text] : kPatterns) {
    pattern::CompileError error;
    const auto compiled = pattern::Pattern::Compile(language, text, &error);
    ASSERT_NE(compiled, nullptr) << text << error.reason;
    const PrefixGuard guard(language, text);
    std::string subject(4, ' ');
    for (int i = 0; i < 10000; ++i) {
      for (size_t k = 0, rest = static_cast<size_t>(i); k < 4; ++k, rest /= 10) {
        subject[k] = alphabet[rest % 10];
      }
      if (!compiled->Matches(subject)) continue;
      EXPECT_TRUE(guard.MayMatch(subject)) << text << subject;
    }
  }
}

}  // namespace
}  // namespace ospatrol::analysisd
