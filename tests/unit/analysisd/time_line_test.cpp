// Against a walk over all times that were added.
#include "analysisd/time_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace ospatrol::analysisd {
namespace {

TEST(TimeLine, KnowsTheNewestEventBeforeATimeAlsoWhenTheClockGoesBack) {
  std::mt19937 random(11);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  constexpr int64_t kKept = 50;
  for (int round = 0; round < 200; ++round) {
    TimeLine line;
    std::vector<int64_t> times;  // of sequence numbers 1, 2, ...
    int64_t now = 1000;
    int64_t kept_from = 0;
    const int jumps = below(3) * 10;
    for (int step = 0; step < 300; ++step) {
      now += below(100) < jumps ? below(20) - 12 : below(3);
      if (below(2) == 0) {
        times.push_back(now);
        line.Add(now, times.size(), now - kKept);
        kept_from = std::max(kept_from, now - kKept);
      }
      const int64_t asked = std::max(kept_from, now - below(20));
      uint64_t wanted = times.size();
      while (wanted > 0 && times[wanted - 1] >= asked) --wanted;
      ASSERT_EQ(line.NewestBefore(asked), wanted) << round << ' ' << step;
      ASSERT_EQ(line.NewestBefore(asked), wanted);  // now it is known
    }
  }
}

TEST(TimeLine, IsEmptyAfterClear) {
  TimeLine line;
  line.Add(10, 1, 0);
  EXPECT_EQ(line.NewestBefore(11), 1u);
  line.Clear();
  EXPECT_EQ(line.NewestBefore(11), 0u);
}

}  // namespace
}  // namespace ospatrol::analysisd
