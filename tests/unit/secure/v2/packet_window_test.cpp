#include "secure/v2/packet_window.h"

#include <gtest/gtest.h>

#include <set>

#include "simulation.h"

namespace ospatrol::secure::v2 {
namespace {

using Place = PacketWindow::Place;

TEST(PacketWindow, TakesEachNumberOnce) {
  PacketWindow window;
  EXPECT_EQ(window.Look(0), Place::kNew);
  window.Mark(0);
  EXPECT_EQ(window.Look(0), Place::kDuplicate);
  window.Mark(5);
  EXPECT_EQ(window.Look(3), Place::kNew);
  window.Mark(3);
  EXPECT_EQ(window.Look(3), Place::kDuplicate);
}

TEST(PacketWindow, RefusesWhatIsOlderThanItself) {
  PacketWindow window;
  window.Mark(5000);
  EXPECT_EQ(window.Look(5000 - 1023), Place::kNew);
  EXPECT_EQ(window.Look(5000 - 1024), Place::kOld);
}

TEST(PacketWindow, ForgetsNothingAcrossJumpsOfAnyLength) {
  // Against a set of numbers, for many random orders.
  for (uint64_t seed = 0; seed < 300; ++seed) {
    test::SeededRandom random(seed);
    PacketWindow window;
    std::set<uint64_t> marked;
    uint64_t top = random.Below(3000);
    for (int i = 0; i < 300; ++i) {
      const uint64_t number = random.Chance(0.5) ? top + random.Below(random.Chance(0.1) ? 2000 : 5)
                                                 : top - std::min(top, random.Below(1200));
      Place expected = marked.contains(number) ? Place::kDuplicate : Place::kNew;
      if (!marked.empty() && number + 1024 <= *marked.rbegin()) expected = Place::kOld;
      ASSERT_EQ(window.Look(number), expected) << "seed " << seed << " number " << number;
      if (expected == Place::kNew) {
        window.Mark(number);
        marked.insert(number);
        top = *marked.rbegin();
      }
    }
    // The description names exactly what is in the window, as far as it has ranges.
    AckFrame ack;
    window.Describe(ack);
    uint64_t at = ack.largest + 1;
    for (size_t i = 0; i < ack.count; ++i) {
      for (int n = 0; n < ack.ranges[i].missing; ++n) ASSERT_FALSE(marked.contains(--at));
      for (int n = 0; n < ack.ranges[i].received; ++n) ASSERT_TRUE(marked.contains(--at));
    }
    if (ack.count < AckFrame::kMaxRanges) {
      while (at-- > 0 && at + 1024 > ack.largest) ASSERT_FALSE(marked.contains(at));
    }
  }
}

}  // namespace
}  // namespace ospatrol::secure::v2
