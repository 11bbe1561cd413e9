#include "secure/v2/sender.h"

#include <gtest/gtest.h>

#include "secure/v2/acknowledger.h"

namespace ospatrol::secure::v2 {
namespace {

AckFrame Ack(uint64_t largest, std::initializer_list<AckFrame::Range> ranges) {
  AckFrame ack;
  ack.largest = largest;
  for (const auto& range : ranges) ack.ranges[ack.count++] = range;
  return ack;
}

class SenderTest : public testing::Test {
 protected:
  void Send(uint64_t count, int64_t now_ms) {
    for (uint64_t i = 0; i < count; ++i) {
      Manifest manifest;
      manifest.Add({CargoKind::kEvents, next_, 1, 0});
      sender_.Sent(next_++, now_ms, manifest);
    }
  }
  bool Take(const AckFrame& ack, int64_t now_ms) {
    fate_.Clear();
    return sender_.Acknowledged(ack, next_, now_ms, true, fate_);
  }
  uint64_t SendWhatMayGo(int64_t now_ms) {
    uint64_t count = 0;
    for (; sender_.MaySend(now_ms); ++count) Send(1, now_ms);
    return count;
  }

  Sender sender_;
  Sender::Fate fate_;
  uint64_t next_ = 0;
};

TEST_F(SenderTest, BeginsWithSixteenPackets) { EXPECT_EQ(SendWhatMayGo(0), 16u); }

TEST_F(SenderTest, DoublesPerRoundTripUntilTheFirstLoss) {
  int64_t now = 0;
  for (int round = 0; round < 10; ++round) {
    // Pacing spreads the packets over the round trip.
    const int64_t end = now + 100;
    for (; now < end; ++now) SendWhatMayGo(now);
    ASSERT_TRUE(
        Take(Ack(next_ - 1, {{0, static_cast<uint16_t>(std::min<uint64_t>(next_, 1000))}}), now));
  }
  EXPECT_EQ(sender_.window(), Sender::kMaxWindow);
}

TEST_F(SenderTest, TakesAPacketForLostWhenThreeLaterOnesArrived) {
  Send(5, 0);
  ASSERT_TRUE(Take(Ack(2, {{0, 2}}), 50));  // 1 and 2
  EXPECT_EQ(fate_.arrived.size(), 2u);
  EXPECT_TRUE(fate_.lost.empty());
  ASSERT_TRUE(Take(Ack(3, {{0, 3}}), 60));
  ASSERT_EQ(fate_.lost.size(), 1u);
  EXPECT_EQ(fate_.lost[0].a, 0u);
  EXPECT_EQ(sender_.in_flight(), 1u);
}

TEST_F(SenderTest, HalvesItsWindowOncePerRoundTrip) {
  int64_t now = 0;
  for (int round = 0; round < 4; ++round) {
    const int64_t end = now + 100;
    for (; now < end; ++now) SendWhatMayGo(now);
    Take(Ack(next_ - 1, {{0, static_cast<uint16_t>(next_)}}), now);
  }
  const uint32_t window = sender_.window();
  ASSERT_GT(window, 64u);
  const uint64_t first = next_;
  Send(50, now);
  // Every second one is missing.
  AckFrame ack;
  ack.largest = first + 49;
  for (int i = 0; i < 25; ++i) ack.ranges[ack.count++] = {static_cast<uint16_t>(i > 0), 1};
  ASSERT_TRUE(Take(ack, now + 100));
  EXPECT_EQ(fate_.lost.size(), 24u);
  EXPECT_NEAR(sender_.window(), window / 2, 2 + window / 4);
}

TEST_F(SenderTest, WaitsTwiceAsLongAfterEveryTimeout) {
  Send(1, 0);
  EXPECT_EQ(sender_.timeout_at(), 1000);
  int64_t now = 0;
  int64_t before = 0;
  for (int i = 0; i < 8; ++i) {
    now = sender_.timeout_at();
    const int64_t waited = now - before;
    EXPECT_EQ(waited, std::min<int64_t>(30000, 1000 << i));
    fate_.Clear();
    EXPECT_FALSE(sender_.CheckTimeout(next_, now - 1, true, fate_));
    EXPECT_TRUE(sender_.CheckTimeout(next_, now, true, fate_));
    EXPECT_EQ(fate_.lost.size(), 1u);
    before = now;
    Send(1, now);
  }
  EXPECT_EQ(sender_.window(), Sender::kMinWindow);
  ASSERT_TRUE(Take(Ack(next_ - 1, {{0, 1}}), now + 10));
  EXPECT_EQ(sender_.timeouts(), 0);
  EXPECT_EQ(sender_.timeout_at(), kNever);
}

TEST_F(SenderTest, RefusesAcknowledgementsOfPacketsThatWereNeverSent) {
  Send(3, 0);
  EXPECT_FALSE(Take(Ack(3, {{0, 1}}), 10));
  EXPECT_EQ(sender_.in_flight(), 3u);
}

TEST_F(SenderTest, MeasuresTheRoundTripWithoutTheReceiversDelay) {
  Send(1, 0);
  AckFrame ack = Ack(0, {{0, 1}});
  ack.delay_ms = 25;
  ASSERT_TRUE(Take(ack, 65));
  EXPECT_EQ(sender_.smoothed_ms(), 40);
}

TEST_F(SenderTest, DoesNotTakeALostProbeForCongestion) {
  Manifest probe;
  probe.Add({CargoKind::kProbe, 0, 8900, 0});
  sender_.Sent(next_++, 0, probe);
  Send(15, 0);
  ASSERT_TRUE(Take(Ack(15, {{0, 15}}), 50));
  EXPECT_EQ(fate_.lost.size(), 1u);
  EXPECT_GT(sender_.window(), Sender::kMinWindow);  // still grows
}

TEST_F(SenderTest, GivesEverythingBackWhenTheSessionEnds) {
  Send(7, 0);
  sender_.Abandon(fate_);
  EXPECT_EQ(fate_.lost.size(), 7u);
  EXPECT_EQ(sender_.in_flight(), 0u);
}

TEST(Acknowledger, AnswersEverySecondPacketOrAfterTwentyFiveMilliseconds) {
  Acknowledger acknowledger;
  acknowledger.Received(100, true, true);
  EXPECT_FALSE(acknowledger.IsDue(124));
  EXPECT_TRUE(acknowledger.IsDue(125));
  acknowledger.Received(110, true, true);
  EXPECT_TRUE(acknowledger.IsDue(110));
  EXPECT_EQ(acknowledger.Sending(117), 7);
  EXPECT_EQ(acknowledger.due_ms(), kNever);
  acknowledger.Received(120, true, false);  // an acknowledgement alone asks for nothing
  EXPECT_EQ(acknowledger.due_ms(), kNever);
}

}  // namespace
}  // namespace ospatrol::secure::v2
