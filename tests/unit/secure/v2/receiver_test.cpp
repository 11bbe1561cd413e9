#include "secure/v2/receiver.h"

#include <gtest/gtest.h>

#include "secure/v2/big_endian.h"

namespace ospatrol::secure::v2 {
namespace {

using Taken = Receiver::Taken;

class Sink : public EventSink {
 public:
  bool Deliver(const SpoolId&, uint64_t first, std::span<const std::string_view> events) override {
    if (full) return false;
    EXPECT_EQ(first, next);
    for (const std::string_view event : events) taken.emplace_back(event);
    next = first + events.size();
    return true;
  }
  bool full = false;
  uint64_t next = 1;
  std::vector<std::string> taken;
};

class ReceiverTest : public testing::Test {
 protected:
  ReceiverTest() { receiver_.Begin({1}, 0, 1); }

  Taken Events(uint64_t first, int count) {
    std::vector<uint8_t> raw;
    for (int i = 0; i < count; ++i) {
      const std::string text = "event " + std::to_string(first + static_cast<uint64_t>(i));
      raw.push_back(0);
      raw.push_back(static_cast<uint8_t>(text.size()));
      raw.insert(raw.end(), text.begin(), text.end());
    }
    return receiver_.Take(EventsFrame{first, static_cast<uint16_t>(count), Codec::kNone,
                                      static_cast<uint16_t>(raw.size()), raw},
                          reader_, sink_);
  }
  Taken Part(uint64_t number, std::string_view whole, size_t offset, size_t length) {
    return receiver_.Take(
        PartFrame{number, static_cast<uint32_t>(whole.size()), static_cast<uint32_t>(offset),
                  AsBytes(whole.substr(offset, length))},
        reader_, sink_);
  }

  HoldingBudget budget_{100000};
  Receiver receiver_{budget_};
  BatchReader reader_;
  Sink sink_;
};

TEST_F(ReceiverTest, DeliversInOrderWhateverTheOrderOfPackets) {
  EXPECT_EQ(Events(6, 5), Taken::kTaken);
  EXPECT_EQ(Events(11, 1), Taken::kTaken);
  EXPECT_TRUE(sink_.taken.empty());
  EXPECT_EQ(Events(1, 5), Taken::kTaken);
  EXPECT_EQ(sink_.taken.size(), 11u);
  EXPECT_EQ(sink_.taken[10], "event 11");
  EXPECT_EQ(receiver_.held_bytes(), 0u);
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(ReceiverTest, DeliversOnceWhatComesTwiceOrOverlaps) {
  Events(1, 5);
  Events(1, 5);
  Events(3, 6);
  Events(7, 10);
  Events(2, 3);
  EXPECT_EQ(sink_.taken.size(), 16u);
}

TEST_F(ReceiverTest, KeepsNothingOfAPacketThatTheSinkRefuses) {
  sink_.full = true;
  EXPECT_EQ(Events(1, 5), Taken::kFull);
  EXPECT_EQ(receiver_.delivered(), 0u);
  sink_.full = false;
  EXPECT_EQ(Events(1, 5), Taken::kTaken);
  EXPECT_EQ(sink_.taken.size(), 5u);
}

TEST_F(ReceiverTest, DeliversLaterWhatItHoldsWhileTheSinkRefuses) {
  EXPECT_EQ(Events(3, 2), Taken::kTaken);
  EXPECT_FALSE(receiver_.has_waiting());
  Events(1, 1);
  sink_.full = true;
  EXPECT_EQ(Events(2, 1), Taken::kFull);
  sink_.full = false;
  Events(2, 1);
  EXPECT_EQ(sink_.taken.size(), 4u);
}

TEST_F(ReceiverTest, PutsPartsTogetherInAnyOrder) {
  const std::string event(5000, 'x');
  Part(2, event, 4000, 1000);
  Part(2, event, 0, 2500);
  Part(2, event, 2000, 1000);  // overlaps
  Events(1, 1);
  EXPECT_EQ(sink_.taken.size(), 1u);
  Part(2, event, 3000, 1000);
  ASSERT_EQ(sink_.taken.size(), 2u);
  EXPECT_EQ(sink_.taken[1], event);
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(ReceiverTest, RefusesPartsThatDisagreeAboutTheLength) {
  Part(1, std::string(100, 'x'), 0, 50);
  EXPECT_EQ(Part(1, std::string(90, 'x'), 50, 40), Taken::kMalformed);
}

TEST_F(ReceiverTest, HoldsNoMoreThanTheBudgetButAlwaysTakesWhatComesNext) {
  int taken = 0;
  for (uint64_t first = 2; first < 5000; first += 2) {
    if (Events(first, 1) == Taken::kTaken) ++taken;
  }
  EXPECT_LT(taken, 1000);
  EXPECT_LE(budget_.used(), 100000u);
  EXPECT_EQ(Part(1, std::string(60000, 'x'), 0, 60000), Taken::kTaken);
  EXPECT_EQ(sink_.taken.size(), 2u);
}

TEST_F(ReceiverTest, StepsOverEventsThatTheAgentLost) {
  Events(1, 2);
  receiver_.Take(GapFrame{3, 10}, reader_, sink_);
  EXPECT_EQ(receiver_.delivered(), 9u);
  EXPECT_EQ(receiver_.stored(), 0u);
  EXPECT_TRUE(receiver_.Stored(2));
  EXPECT_EQ(receiver_.stored(), 9u);  // nothing is missing up to there
  sink_.next = 10;
  Events(10, 1);
  EXPECT_TRUE(receiver_.Stored(10));
}

TEST_F(ReceiverTest, SaysNothingIsStoredThatWasNotDelivered) {
  Events(1, 2);
  EXPECT_TRUE(receiver_.Stored(1000));
  EXPECT_EQ(receiver_.stored(), 2u);
  EXPECT_FALSE(receiver_.Stored(1));
}

TEST_F(ReceiverTest, GoesOnWhereTheAgentsSpoolBegins) {
  Events(1, 2);
  receiver_.Begin({1}, 0, 1);  // the same spool: nothing is delivered again
  Events(1, 3);
  EXPECT_EQ(sink_.taken.size(), 3u);
  receiver_.Begin({1}, 0, 50);  // another manager has had what lies between
  sink_.next = 50;
  Events(50, 1);
  EXPECT_EQ(sink_.taken.size(), 4u);
  EXPECT_EQ(receiver_.stored(), 49u);
  receiver_.Begin({2}, 7, 1);  // another spool
  sink_.next = 8;
  Events(6, 4);
  EXPECT_EQ(sink_.taken.size(), 6u);
}

}  // namespace
}  // namespace ospatrol::secure::v2
