#include "logtest/pattern_facts.h"

#include <gtest/gtest.h>

namespace ospatrol::logtest {
namespace {

using pattern::Language;

PatternFacts Facts(Language language, std::string_view text) {
  const auto facts = FactsOf(language, text);
  EXPECT_TRUE(facts.has_value()) << text;
  return facts.value_or(PatternFacts());
}

TEST(PatternFacts, TextBehindTheEndOrBeforeTheStartNeverMatches) {
  EXPECT_TRUE(Facts(Language::kPcre2, "a$b").never_matches);
  EXPECT_TRUE(Facts(Language::kPcre2, "a^b").never_matches);
  EXPECT_TRUE(Facts(Language::kPcre2, "(?:a|b$)(?:c$)d").never_matches);
  EXPECT_TRUE(Facts(Language::kPcre2, "(a$|b$)c").never_matches);
  EXPECT_TRUE(Facts(Language::kOsMatch, "price $5").never_matches);
  EXPECT_TRUE(Facts(Language::kOsRegex, "^a$b").never_matches);
}

TEST(PatternFacts, AnchorsThatCanHoldAreFine) {
  for (const std::string_view text : {"^a$", "a$|^b", "(?:^|x)a(?:$|y)b", "a\\$b", "[$]b", "a$b?",
                                      "(?:^a)?b", "a$\\n", "^^a$$"}) {
    EXPECT_FALSE(Facts(Language::kPcre2, text).never_matches) << text;
  }
  EXPECT_FALSE(Facts(Language::kOsMatch, "^a|b$").never_matches);
  EXPECT_FALSE(Facts(Language::kOsRegex, "a\\$b").never_matches);
}

TEST(PatternFacts, OneDeadAlternativeIsSeen) {
  EXPECT_TRUE(Facts(Language::kOsMatch, "good|price $5").dead_alternative);
  EXPECT_FALSE(Facts(Language::kOsMatch, "good|price $5").never_matches);
  EXPECT_FALSE(Facts(Language::kOsMatch, "good|bad$").dead_alternative);
}

TEST(PatternFacts, AnUnanchoredBeginningWithAnythingIsSeen) {
  EXPECT_TRUE(Facts(Language::kPcre2, ".*a").leading_anything);
  EXPECT_TRUE(Facts(Language::kPcre2, ".+a").leading_anything);
  EXPECT_TRUE(Facts(Language::kPcre2, "(?:.*?)a").leading_anything);
  EXPECT_TRUE(Facts(Language::kPcre2, "a|.*b").leading_anything);
  EXPECT_TRUE(Facts(Language::kOsRegex, "\\.*a").leading_anything);
  EXPECT_FALSE(Facts(Language::kPcre2, "^.*a").leading_anything);
  EXPECT_FALSE(Facts(Language::kPcre2, "(.*)a").leading_anything);
  EXPECT_FALSE(Facts(Language::kPcre2, ".a").leading_anything);
  EXPECT_FALSE(Facts(Language::kPcre2, "\\.*a").leading_anything);
  EXPECT_FALSE(Facts(Language::kOsRegex, "\\d*a").leading_anything);
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
