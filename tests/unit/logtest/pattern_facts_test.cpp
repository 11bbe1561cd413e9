#include "logtest/pattern_facts.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace ospatrol::logtest {
namespace {

using pattern::Language;

using Texts = std::initializer_list<std::string_view>;

PatternFacts Facts(Language language, std::string_view text) {
  const auto facts = FactsOf(language, text);
  EXPECT_TRUE(facts.has_value()) << text;
  return facts.value_or(PatternFacts());
}

void ExpectOfAll(bool PatternFacts::*fact, Language language, Texts texts) {
  for (const std::string_view text : texts) EXPECT_TRUE(Facts(language, text).*fact) << text;
}
void ExpectOfNone(bool PatternFacts::*fact, Language language, Texts texts) {
  for (const std::string_view text : texts) EXPECT_FALSE(Facts(language, text).*fact) << text;
}

TEST(PatternFacts, TextBehindTheEndOrBeforeTheStartNeverMatches) {
  const auto fact = &PatternFacts::never_matches;
  ExpectOfAll(fact, Language::kPcre2, {"a$b", "a^b", "(?:a|b$)(?:c$)d", "(a$|b$)c"});
  ExpectOfAll(fact, Language::kOsMatch, {"price $5"});
  ExpectOfAll(fact, Language::kOsRegex, {"^a$b"});
}

TEST(PatternFacts, AnchorsThatCanHoldAreFine) {
  const auto fact = &PatternFacts::never_matches;
  ExpectOfNone(
      fact, Language::kPcre2,
      {"^a$", "a$|^b", "(?:^|x)a(?:$|y)b", "a\\$b", "[$]b", "a$b?", "(?:^a)?b", "a$\\n", "^^a$$"});
  ExpectOfNone(fact, Language::kOsMatch, {"^a|b$"});
  ExpectOfNone(fact, Language::kOsRegex, {"a\\$b"});
}

TEST(PatternFacts, OneDeadAlternativeIsSeen) {
  const auto fact = &PatternFacts::dead_alternative;
  ExpectOfAll(fact, Language::kOsMatch, {"good|price $5"});
  ExpectOfNone(fact, Language::kOsMatch, {"good|bad$"});
  ExpectOfNone(&PatternFacts::never_matches, Language::kOsMatch, {"good|price $5"});
}

TEST(PatternFacts, AnUnanchoredBeginningWithAnythingIsSeen) {
  const auto fact = &PatternFacts::leading_anything;
  ExpectOfAll(fact, Language::kPcre2, {".*a", ".+a", "(?:.*?)a", "a|.*b"});
  ExpectOfAll(fact, Language::kOsRegex, {"\\.*a"});
  ExpectOfNone(fact, Language::kPcre2, {"^.*a", "(.*)a", ".a", "\\.*a"});
  ExpectOfNone(fact, Language::kOsRegex, {"\\d*a"});
}

TEST(PatternFacts, CapturesOfAlternativesAreNotAddedUp) {
  EXPECT_EQ(Facts(Language::kPcre2, "(a)(b)").most_captures, 2u);
  EXPECT_EQ(Facts(Language::kPcre2, "(a)|(b)").most_captures, 1u);
  EXPECT_EQ(Facts(Language::kPcre2, "(?:a)((b)|c(d)(e))").most_captures, 3u);
}

TEST(PatternFacts, NothingIsSaidOfLookAround) {
  EXPECT_FALSE(FactsOf(Language::kPcre2, "(?<=a)b$c"));
}

}  // namespace
}  // namespace ospatrol::logtest
