#include "base/day.h"

#include <gtest/gtest.h>

namespace ospatrol::base {
namespace {

TEST(Day, GoesOverMonthsAndYears) {
  EXPECT_EQ(AddDays({2024, 1, 28}, 1), (Day{2024, 1, 29}));
  EXPECT_EQ(AddDays({2024, 1, 29}, 1), (Day{2024, 2, 1}));
  EXPECT_EQ(AddDays({2023, 11, 31}, 1), (Day{2024, 0, 1}));
  EXPECT_EQ(AddDays({2024, 0, 1}, -1), (Day{2023, 11, 31}));
  EXPECT_EQ(DaysBetween({2023, 11, 31}, {2024, 2, 1}), 61);
  EXPECT_EQ(DaysBetween({2024, 2, 1}, {2023, 11, 31}), -61);
}

TEST(Day, IsWrittenAndReadInOneForm) {
  EXPECT_EQ(FormatDay({2024, 4, 7}), "2024-05-07");
  EXPECT_EQ(ParseDay("2024-05-07"), (Day{2024, 4, 7}));
  for (const char* text : {"", "2024-05-7", "2024-00-07", "2024-13-07", "2023-02-29", "2024-05-32",
                           "2024/05/07", "2024-05-07 ", "-024-05-07", "20 4-05-07"}) {
    EXPECT_EQ(ParseDay(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace ospatrol::base
