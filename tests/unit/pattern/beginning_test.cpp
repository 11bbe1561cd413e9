#include "pattern/beginning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace ospatrol::pattern {
namespace {

bool Has(const Beginning::Bytes& bytes, uint8_t value) {
  return (bytes[value / 64] >> (value % 64) & 1) != 0;
}

bool CanBegin(const std::vector<Beginning>& beginnings, std::string_view subject) {
  if (beginnings.empty()) return true;
  return std::any_of(beginnings.begin(), beginnings.end(), [&](const Beginning& beginning) {
    for (size_t i = 0; i < Beginning::kBytes; ++i) {
      const bool fits = i < subject.size()
                            ? Has(beginning.bytes[i], static_cast<uint8_t>(subject[i]))
                            : beginning.ends[i];
      if (!fits) return false;
    }
    return true;
  });
}

bool Pcre2CanBegin(std::string_view pattern, std::string_view subject) {
  return CanBegin(BeginningsOf(Language::kPcre2, pattern), subject);
}

TEST(Beginning, TellsFixedTextsAndClassesApart) {
  EXPECT_TRUE(Pcre2CanBegin("^sshd", "SSHD: x"));
  EXPECT_FALSE(Pcre2CanBegin("^sshd", "sudo"));
  EXPECT_FALSE(Pcre2CanBegin("^sshd", "ssh"));
  EXPECT_TRUE(Pcre2CanBegin(R"(^\d{4}-\d\d)", "2026-03-14"));
  EXPECT_FALSE(Pcre2CanBegin(R"(^\d{4}-\d\d)", "198.51.100.7"));
  EXPECT_FALSE(Pcre2CanBegin(R"(^\d{4}-\d\d)", "2026"));
}

TEST(Beginning, KeepsAlternativesApart) {
  const auto beginnings = BeginningsOf(Language::kPcre2, "^abc|^xyz");
  ASSERT_EQ(beginnings.size(), 2u);
  EXPECT_TRUE(CanBegin(beginnings, "abc"));
  EXPECT_TRUE(CanBegin(beginnings, "xyz"));
  EXPECT_FALSE(CanBegin(beginnings, "ayz"));
}

TEST(Beginning, FollowsOptionalPartsAndRepetitions) {
  EXPECT_TRUE(Pcre2CanBegin(R"(^ ?id=)", " id=1"));
  EXPECT_TRUE(Pcre2CanBegin(R"(^ ?id=)", "id=1"));
  EXPECT_FALSE(Pcre2CanBegin(R"(^ ?id=)", "xid=1"));
  EXPECT_TRUE(Pcre2CanBegin(R"(^\d+ x)", "1 x"));
  EXPECT_TRUE(Pcre2CanBegin(R"(^\d+ x)", "123456789 x"));
  EXPECT_FALSE(Pcre2CanBegin(R"(^\d+ x)", "x 1"));
  EXPECT_TRUE(Pcre2CanBegin(R"(^(?:a|bc)?$)", ""));
}

TEST(Beginning, LeavesOutLookAroundAndReadsOn) {
  EXPECT_TRUE(Pcre2CanBegin(R"(^(?=.*z)ab)", "ab z"));
  EXPECT_FALSE(Pcre2CanBegin(R"(^(?=.*z)ab)", "xb z"));
  EXPECT_TRUE(Pcre2CanBegin(R"(^\S++ (?!-)x)", "a b"));
}

TEST(Beginning, KnowsNothingOfPatternsThatAreNotAnchored) {
  EXPECT_TRUE(BeginningsOf(Language::kPcre2, "abc").empty());
  EXPECT_TRUE(BeginningsOf(Language::kPcre2, "^abc|def").empty());
  EXPECT_TRUE(BeginningsOf(Language::kPcre2, "(*UTF)^abc").empty());
  EXPECT_TRUE(BeginningsOf(Language::kOsMatch, "abc").empty());
  EXPECT_FALSE(BeginningsOf(Language::kOsMatch, "^abc").empty());
  EXPECT_FALSE(BeginningsOf(Language::kOsRegex, R"(^\d+-)").empty());
}

TEST(Beginning, AllowsAnyBytesForCharactersAboveAscii) {
  // U+212A folds to k, and \w takes it in os_regex.
  EXPECT_TRUE(CanBegin(BeginningsOf(Language::kOsMatch, "^key "),
                       "\xE2\x84\xAA"
                       "ey x"));
  EXPECT_TRUE(CanBegin(BeginningsOf(Language::kOsRegex, R"(^\.x)"), "\xC3\xA9x"));
}

// Whatever a pattern matches begins as it says: random patterns, the engine as judge.
TEST(Beginning, NeverRefusesWhatMatches) {
  std::mt19937 random(7);
  const auto pick = [&](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  const std::vector<std::string> atoms{"a",     "b",     "[ab]",   "\\d",  ".",        "(?:a|bb)",
                                       "(?=a)", "(?!b)", "\\w{2}", "(b)?", "(?>a|ab)", "[^a]"};
  const std::vector<std::string> repeats{"", "", "", "?", "*", "+", "{2}", "++"};
  size_t matches = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string pattern = "^";
    for (int i = 0; i < 4; ++i) {
      const std::string atom = pick(atoms);
      pattern += atom;
      if (!atom.starts_with("(?=") && !atom.starts_with("(?!") && !atom.ends_with("?")) {
        pattern += pick(repeats);
      }
      if (random() % 8 == 0) pattern += "|^";
    }
    CompileError error;
    const auto compiled = Pattern::Compile(Language::kPcre2, pattern, &error);
    if (compiled == nullptr) continue;
    const auto beginnings = BeginningsOf(Language::kPcre2, pattern);
    for (int i = 0; i < 10; ++i) {
      std::string subject;
      for (size_t left = random() % 7; left > 0; --left) subject += "abAB1 \n\xE9"[random() % 8];
      if (!compiled->Matches(subject)) continue;
      ++matches;
      EXPECT_TRUE(CanBegin(beginnings, subject)) << pattern << " on " << subject;
    }
  }
  EXPECT_GT(matches, 3000u);
}

}  // namespace
}  // namespace ospatrol::pattern
