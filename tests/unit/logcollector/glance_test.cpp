#include "logcollector/glance.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ospatrol::logcollector {
namespace {

using std::chrono::seconds;

Look OfSize(uint64_t size) {
  Look look;
  look.facts.size = size;
  return look;
}

TEST(Glance, TrustsALookOnlyAfterACloseLookBeyondItsTime) {
  Glance glance;
  Glance::Clock::time_point now{};
  EXPECT_FALSE(glance.IsSame(OfSize(1), now));
  EXPECT_FALSE(glance.IsSame(OfSize(1), now += seconds(2)));
  EXPECT_FALSE(glance.IsSame(OfSize(1), now += seconds(2)));  // after this one
  EXPECT_TRUE(glance.IsSame(OfSize(1), now += seconds(2)));
  EXPECT_TRUE(glance.IsSame(OfSize(1), now += seconds(2)));
}

TEST(Glance, NeedsTheCloseLookHoweverRareLooksAre) {
  Glance glance;
  Glance::Clock::time_point now{};
  EXPECT_FALSE(glance.IsSame(OfSize(1), now));
  EXPECT_FALSE(glance.IsSame(OfSize(1), now += seconds(120)));
  EXPECT_TRUE(glance.IsSame(OfSize(1), now += seconds(120)));
}

TEST(Glance, BeginsAgainWithEachDifference) {
  Glance glance;
  Glance::Clock::time_point now{};
  for (int i = 0; i < 9; ++i) glance.IsSame(OfSize(1), now += seconds(2));
  EXPECT_FALSE(glance.IsSame(OfSize(2), now += seconds(2)));
  EXPECT_FALSE(glance.IsSame(OfSize(1), now += seconds(2)));
  EXPECT_FALSE(glance.IsSame(Look{ENOENT, {}}, now += seconds(2)));
  EXPECT_FALSE(glance.IsSame(Look{EACCES, {}}, now += seconds(2)));
}

}  // namespace
}  // namespace ospatrol::logcollector
