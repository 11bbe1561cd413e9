#include "secure/replay_window.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace ospatrol::secure {
namespace {

using Verdict = ReplayWindow::Verdict;

TEST(ReplayWindow, TakesEachCounterOnce) {
  ReplayWindow window;
  EXPECT_EQ(window.Accept({0, 1}), Verdict::kNew);
  EXPECT_EQ(window.Accept({0, 1}), Verdict::kDuplicate);
  EXPECT_EQ(window.Accept({0, 2}), Verdict::kNew);
  EXPECT_EQ(window.Accept({0, 1}), Verdict::kDuplicate);
}

TEST(ReplayWindow, NothingIsBelowTheFirstCounter) {
  ReplayWindow window;
  EXPECT_TRUE(window.empty());
  EXPECT_NE(window.Accept({0, 0}), Verdict::kNew);
  EXPECT_EQ(window.Accept({0, 1}), Verdict::kNew);
  EXPECT_NE(window.Accept({0, 0}), Verdict::kNew);
}

TEST(ReplayWindow, TakesLatePacketsOnceAndOnlyWithinTheWindow) {
  ReplayWindow window;
  window.Accept({3, 100});
  EXPECT_EQ(window.Accept({3, 99}), Verdict::kNew);
  EXPECT_EQ(window.Accept({3, 99}), Verdict::kDuplicate);
  EXPECT_EQ(window.Accept({3, 37}), Verdict::kNew);
  EXPECT_EQ(window.Accept({3, 36}), Verdict::kOld);
  EXPECT_EQ(window.highest(), (Counter{3, 100}));
}

TEST(ReplayWindow, ReordersAcrossTheEndOfLocal) {
  ReplayWindow window;
  window.Accept({0, 9996});
  EXPECT_EQ(window.Accept({1, 1}), Verdict::kNew);
  EXPECT_EQ(window.Accept({0, 9997}), Verdict::kNew);
  EXPECT_EQ(window.Accept({0, 9996}), Verdict::kDuplicate);
  EXPECT_EQ(window.highest(), (Counter{1, 1}));
}

TEST(ReplayWindow, AStoredPairCountsAsSeenWithAllBelowIt) {
  ReplayWindow window = ReplayWindow::From({5, 10});
  EXPECT_EQ(window.Accept({5, 10}), Verdict::kDuplicate);
  EXPECT_EQ(window.Accept({5, 9}), Verdict::kDuplicate);
  EXPECT_EQ(window.Accept({4, 9997}), Verdict::kDuplicate);
  EXPECT_EQ(window.Accept({4, 1}), Verdict::kOld);
  EXPECT_EQ(window.Accept({5, 11}), Verdict::kNew);
}

TEST(ReplayWindow, IsTheSameAfterItsValuesWereStored) {
  ReplayWindow window;
  for (const uint32_t local : {1U, 5U, 3U, 40U, 38U}) window.Accept({7, local});
  EXPECT_EQ(ReplayWindow::From(window.highest(), window.bitmap()), window);
}

TEST(ReplayWindow, GoesBackOnlyWhenTold) {
  ReplayWindow window = ReplayWindow::From({5, 5});
  window.AcceptAny({0, 1});
  EXPECT_EQ(window.highest(), (Counter{0, 1}));
}

TEST(ReplayWindow, HoldsTheLargestCounters) {
  ReplayWindow window;
  EXPECT_EQ(window.Accept({4294967295U, 9997}), Verdict::kNew);
  EXPECT_EQ(window.Accept({4294967295U, 9999}), Verdict::kNew);
  EXPECT_EQ(window.Accept({2147483647U, 41}), Verdict::kOld);
}

// Against a window that remembers everything.
TEST(ReplayWindow, AgreesWithASlowOneOnAnyOrder) {
  std::mt19937 random(42);
  for (int round = 0; round < 50; ++round) {
    ReplayWindow window;
    std::set<uint64_t> seen;
    uint64_t highest = 0;
    for (int i = 0; i < 2000; ++i) {
      const uint64_t base = highest < 80 ? 1 : highest - 80;
      const uint64_t number = base + random() % 100;
      const Counter counter{static_cast<uint32_t>(number / 10000),
                            static_cast<uint32_t>(number % 10000)};
      const bool expected =
          number > highest || (highest - number < ReplayWindow::kSize && !seen.contains(number));
      ASSERT_EQ(window.Accept(counter) == Verdict::kNew, expected) << number << " " << highest;
      if (!expected) continue;
      seen.insert(number);
      highest = std::max(highest, number);
    }
  }
}

}  // namespace
}  // namespace ospatrol::secure
