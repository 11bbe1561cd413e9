#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace ospatrol::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Text, LowersAsciiOnly) {
  EXPECT_EQ(ToLower("AbZ[\xc3\x84"), "abz[\xc3\x84");
  EXPECT_TRUE(EqualsIgnoreCase("Ossec", "oSSEC"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_TRUE(StartsWithIgnoreCase("Content-Type", "content"));
  EXPECT_FALSE(StartsWithIgnoreCase("con", "content"));
}

TEST(Text, AllDigitsRefusesTheEmptyText) {
  EXPECT_TRUE(AllDigits("0123456789"));
  EXPECT_FALSE(AllDigits(""));
  EXPECT_FALSE(AllDigits("12 "));
  EXPECT_FALSE(AllDigits("-1"));
}

TEST(Text, TrimsAllSixKindsOfWhiteSpace) {
  EXPECT_EQ(Trim(" \t\n\v\f\ra b\r\f\v\n\t "), "a b");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(Trim(""), "");
}

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(Split("a", ','), ElementsAre("a"));
  EXPECT_THAT(Split(",a,,b,", ','), ElementsAre("", "a", "", "b", ""));
}

TEST(Text, SplitWordsDropsEmptyPieces) {
  EXPECT_THAT(SplitWords("", ", "), IsEmpty());
  EXPECT_THAT(SplitWords(" , ", ", "), IsEmpty());
  EXPECT_THAT(SplitWords(" a, b,c ,,", ", "), ElementsAre("a", "b", "c"));
}

TEST(Text, ReplaceAllReplacesEveryOccurrenceOnce) {
  EXPECT_EQ(ReplaceAll("aXbX", "X", "XX"), "aXXbXX");
  EXPECT_EQ(ReplaceAll("abc", "", "x"), "abc");
  EXPECT_EQ(ReplaceAll("aaa", "aa", "b"), "ba");
  EXPECT_EQ(ReplaceAll("", "a", "b"), "");
}

TEST(Text, ParseNumberTakesTheWholeTextOrNothing) {
  EXPECT_EQ(ParseNumber<int>("42"), 42);
  EXPECT_EQ(ParseNumber<int>("-42"), -42);
  EXPECT_EQ(ParseNumber<uint16_t>("65535"), 65535);
  EXPECT_EQ(ParseNumber<uint16_t>("65536"), std::nullopt);
  EXPECT_EQ(ParseNumber<unsigned>("-1"), std::nullopt);
  for (const char* bad : {"", " 1", "1 ", "+1", "0x10", "1.5", "one"}) {
    EXPECT_EQ(ParseNumber<int>(bad), std::nullopt) << bad;
  }
}

TEST(NearestName, FindsAMisspelledOption) {
  constexpr std::array<std::string_view, 3> kNames{"log_alert_level", "email_alert_level",
                                                   "use_geoip"};
  EXPECT_EQ(NearestName("log_alert_levl", kNames), "log_alert_level");
  EXPECT_EQ(NearestName("USE_GEOIP", kNames), "use_geoip");
  constexpr std::array<std::string_view, 2> kShort{"type", "negate"};
  EXPECT_EQ(NearestName("tpye", kShort), "type");
  EXPECT_EQ(NearestName("typ", kShort), "type");
  EXPECT_EQ(NearestName("tape", kShort), "type");
  EXPECT_EQ(NearestName("date", kShort), "");
  EXPECT_EQ(NearestName("frequency", kNames), "");
  EXPECT_EQ(NearestName("", kNames), "");
  EXPECT_EQ(NearestName(std::string(100000, 'a'), kNames), "");
}

TEST(EscapeControls, LeavesNothingThatCouldForgeALine) {
  EXPECT_EQ(EscapeControls("a\nb\tc\\d"), "a\\nb\\tc\\\\d");
  EXPECT_EQ(EscapeControls(std::string_view("\0\x1b\x7f\r", 4)), "\\x00\\x1b\\x7f\\x0d");
  EXPECT_EQ(EscapeControls("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

}  // namespace
}  // namespace ospatrol::base
