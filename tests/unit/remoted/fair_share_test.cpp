#include "remoted/fair_share.h"

#include <gtest/gtest.h>

namespace ospatrol::remoted {
namespace {

secure::PeerAddress Source(int number) {
  return *secure::PeerAddress::Parse(
      "10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250), 1514);
}

class FairShareTest : public testing::Test {
 protected:
  void NextPeriod() {
    now_ += FairShare::kPeriod;
    share_.Batch(true, true, now_);
  }

  FairShare share_;
  FairShare::Clock::time_point now_ = FairShare::Clock::now();
};

TEST_F(FairShareTest, AdmitsEverythingWhileTheSocketRunsEmpty) {
  share_.Batch(false, false, now_);
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(share_.Admit(Source(1)));
}

TEST_F(FairShareTest, AdmitsABurstThatTheBufferHolds) {
  for (int i = 0; i < 2'000; ++i) {
    share_.Batch(true, false, now_ += std::chrono::milliseconds(1));
    for (int k = 0; k < 64; ++k) ASSERT_TRUE(share_.Admit(Source(i % 3)));
  }
}

TEST_F(FairShareTest, CutsTheLoudSourceAndSparesTheQuietOnes) {
  NextPeriod();
  for (int period = 0; period < 5; ++period) {
    int loud = 0, quiet = 0;
    for (int i = 0; i < 20'000; ++i) loud += share_.Admit(Source(0)) ? 1 : 0;
    for (int agent = 1; agent <= 50; ++agent) quiet += share_.Admit(Source(agent)) ? 1 : 0;
    // One of the quiet may share the counter of the loud one.
    EXPECT_GE(quiet, 49);
    if (period > 0) {
      EXPECT_LT(loud, 3'000);
    }
    EXPECT_GT(loud, 20'000 / 20);
    NextPeriod();
  }
}

TEST_F(FairShareTest, StopsCuttingWhenTheOverloadEnds) {
  NextPeriod();
  EXPECT_TRUE(share_.overloaded());
  share_.Batch(false, false, now_);
  EXPECT_FALSE(share_.overloaded());
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(share_.Admit(Source(0)));
}

}  // namespace
}  // namespace ospatrol::remoted
