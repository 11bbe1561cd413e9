#include "analysisd/compact_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace ospatrol::analysisd {
namespace {

TEST(CompactQueue, HoldsWhatADequeHolds) {
  std::mt19937 random(2);
  CompactQueue<int> queue;
  std::deque<int> wanted;
  int next = 0;
  for (int step = 0; step < 20'000; ++step) {
    const unsigned choice = static_cast<unsigned>(random() % 100);
    if (wanted.empty() || choice < (step / 2000 % 2 == 0 ? 55u : 45u)) {
      queue.push_back(next);
      wanted.push_back(next++);
    } else if (choice < 80) {
      queue.pop_front();
      wanted.pop_front();
    } else {
      queue.pop_back();
      wanted.pop_back();
    }
    ASSERT_EQ(queue.size(), wanted.size());
    ASSERT_EQ(queue.empty(), wanted.empty());
    if (wanted.empty()) continue;
    ASSERT_EQ(queue.front(), wanted.front());
    ASSERT_EQ(queue.back(), wanted.back());
    const size_t i = random() % wanted.size();
    ASSERT_EQ(queue[i], wanted[i]);
    ASSERT_EQ(queue.CountBefore([&](int item) { return item < wanted[i]; }), i);
  }
}

TEST(CompactQueue, CountsAllOrNone) {
  CompactQueue<int> queue;
  EXPECT_EQ(queue.CountBefore([](int) { return true; }), 0u);
  for (int i = 0; i < 7; ++i) queue.push_back(i);
  EXPECT_EQ(queue.CountBefore([](int) { return true; }), 7u);
  EXPECT_EQ(queue.CountBefore([](int) { return false; }), 0u);
}

}  // namespace
}  // namespace ospatrol::analysisd
