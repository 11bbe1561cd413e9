// Against a walk over all events, newest to oldest, as rules-and-decoders 4.9 has it.
#include "analysisd/event_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>

namespace ospatrol::analysisd {
namespace {

struct Remembered : PastEvent {
  uint64_t sequence = 0;
  std::string value;
  int mark = 0;
};

// Events that count for an event with `value`, newest first; empty when there are fewer than
// `needed`.
std::vector<uint64_t> Walk(const std::deque<Remembered>& events, const std::string& value,
                           size_t needed, uint64_t barrier, int level) {
  std::vector<uint64_t> counted;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (event->sequence <= barrier) return {};
    if (event->value == value) continue;
    if (event->mark >= level) return {};
    counted.push_back(event->sequence);
    if (counted.size() == needed) return counted;
  }
  return {};
}

TEST(EventRing, CountsEventsOfOtherValuesAsAWalkDoes) {
  std::mt19937 random(7);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  int counted = 0;
  for (int round = 0; round < 300; ++round) {
    EventRing ring;
    std::deque<Remembered> events;
    const int values = 1 + below(5);
    const size_t capacity = static_cast<size_t>(1 + below(60));
    uint64_t sequence = 0;
    for (int step = 0; step < 200; ++step) {
      const std::string value(1, static_cast<char>('a' + below(values)));
      sequence += static_cast<uint64_t>(1 + below(3));
      events.push_back({{}, sequence, value, below(10) == 0 ? below(5) : 0});
      ring.Add(events.back(), sequence, value, events.back().mark);
      if (events.size() > capacity) {
        ring.DropOldest();
        events.pop_front();
      }
      const std::string asked(1, static_cast<char>('a' + below(values + 1)));
      const auto needed = static_cast<size_t>(1 + below(6));
      const uint64_t barrier = below(2) == 0 ? 0 : sequence - static_cast<uint64_t>(below(20));
      const int level = 1 + below(5);
      const std::vector<uint64_t> wanted = Walk(events, asked, needed, barrier, level);
      ASSERT_EQ(ring.CountOthers(asked, barrier, level) >= needed, !wanted.empty());
      if (wanted.empty()) continue;
      ++counted;
      std::vector<PastEvent*> found;
      ring.NewestOthers(asked, needed, found);
      ASSERT_EQ(found.size(), wanted.size());
      for (size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(static_cast<const Remembered&>(*found[i]).sequence, wanted[i]);
      }
      if (below(2) == 0) continue;
      auto& newest = static_cast<Remembered&>(*found.front());
      newest.mark = level;
      ring.AddMark(newest.sequence, level);
    }
  }
  EXPECT_GT(counted, 1000);
}

}  // namespace
}  // namespace ospatrol::analysisd
