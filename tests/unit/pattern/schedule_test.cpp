#include "pattern/schedule.h"

#include <gtest/gtest.h>

namespace ospatrol::pattern {
namespace {

constexpr int At(int hour, int minute) { return hour * 60 + minute; }

TEST(TimeRange, TakesHoursMinutesAndHalvesOfTheDay) {
  for (const char* good : {"8-9", "08:30 - 17:00", "!8:30-17", "9am-6PM", " 9 Am  -  6:15 pm ",
                           "12 am - 12 pm", "13 am - 14", "0-23:59", "! 8 - 9"}) {
    EXPECT_TRUE(TimeRange::Parse(good)) << good;
  }
  for (const char* bad :
       {"", "8", "8:30", "-", "8-", "-9", "24 - 3", "8:60 - 9", "8:5 - 9", "8:300 - 9", "100 - 9",
        "13 pm - 14 pm", "8 - 9 - 10", "8 xm - 9", "a - b", "8 - 9 x", "!!8 - 9", "8::30 - 9"}) {
    EXPECT_FALSE(TimeRange::Parse(bad)) << bad;
  }
}

TEST(TimeRange, MidnightSpansIncludeBothEnds) {
  const auto range = TimeRange::Parse("22:00 - 06:00");
  EXPECT_TRUE(range->Contains(At(22, 0)));
  EXPECT_TRUE(range->Contains(At(6, 0)));
  EXPECT_TRUE(range->Contains(At(0, 0)));
  EXPECT_FALSE(range->Contains(At(6, 1)));
  EXPECT_FALSE(range->Contains(At(21, 59)));
}

TEST(TimeRange, TwelveAmIsMidnightAndTwelvePmIsNoon) {
  const auto range = TimeRange::Parse("12:10 am - 12:20 pm");
  EXPECT_FALSE(range->Contains(At(0, 9)));
  EXPECT_TRUE(range->Contains(At(0, 10)));
  EXPECT_TRUE(range->Contains(At(12, 20)));
  EXPECT_FALSE(range->Contains(At(12, 21)));
}

TEST(TimeRange, SaysWhereTheReferenceWouldAnswerDifferently) {
  const struct {
    const char* text;
    bool differs;
  } rows[] = {
      {"8:30 - 17:00", false}, {"!8:30 - 17:00", false}, {"12:00-12:00", false},
      {"22:00 - 06:00", true}, {"!22:00 - 06:00", true}, {"12 am - 1 pm", true},
      {"12 pm - 1 pm", false},
  };
  for (const auto& row : rows) {
    bool differs = !row.differs;
    ASSERT_TRUE(TimeRange::Parse(row.text, &differs)) << row.text;
    EXPECT_EQ(differs, row.differs) << row.text;
  }
}

TEST(DaySet, TakesNamesInAnyCaseBetweenCommasAndBlanks) {
  const auto days = DaySet::Parse(" Mon,TUESDAY  wed, ");
  ASSERT_TRUE(days);
  EXPECT_TRUE(days->Contains(1));
  EXPECT_TRUE(days->Contains(2));
  EXPECT_TRUE(days->Contains(3));
  EXPECT_FALSE(days->Contains(0));
  EXPECT_FALSE(days->Contains(4));
}

TEST(DaySet, NegationHoldsForTheWholeList) {
  const auto days = DaySet::Parse("!weekends, monday");
  ASSERT_TRUE(days);
  EXPECT_FALSE(days->Contains(0));
  EXPECT_FALSE(days->Contains(1));
  EXPECT_TRUE(days->Contains(2));
  EXPECT_FALSE(days->Contains(6));
}

TEST(DaySet, RefusesWhatIsNoDay) {
  for (const char* bad :
       {"", "!", " , ", "tues", "mond", "monday;tuesday", "1", "weekday", "mon !tue"}) {
    EXPECT_FALSE(DaySet::Parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace ospatrol::pattern
