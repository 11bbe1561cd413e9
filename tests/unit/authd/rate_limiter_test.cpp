#include "authd/rate_limiter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ospatrol::authd {
namespace {

using std::chrono::seconds;

secure::PeerAddress Peer(std::string_view ip) { return secure::PeerAddress::Parse(ip, 1).value(); }

int Admitted(RateLimiter& limiter, std::string_view ip, RateLimiter::Clock::time_point now) {
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += limiter.Admit(Peer(ip), now) ? 1 : 0;
  return admitted;
}

TEST(RateLimiter, AdmitsEachAddressSoOftenAMinute) {
  RateLimiter limiter(30);
  const RateLimiter::Clock::time_point now{};
  EXPECT_EQ(Admitted(limiter, "10.0.0.1", now), 30);
  EXPECT_EQ(Admitted(limiter, "10.0.0.2", now), 30) << "another address";
  EXPECT_EQ(Admitted(limiter, "10.0.0.1", now + seconds(20)), 10);
  EXPECT_EQ(Admitted(limiter, "10.0.0.1", now + seconds(3600)), 30) << "never more than full";
}

TEST(RateLimiter, TakesANetworkOfIpv6AsOneHost) {
  RateLimiter limiter(30);
  const RateLimiter::Clock::time_point now{};
  EXPECT_EQ(Admitted(limiter, "2001:db8::1", now), 30);
  EXPECT_EQ(Admitted(limiter, "2001:db8::ffff:2", now), 0);
  EXPECT_EQ(Admitted(limiter, "2001:db8:0:1::1", now), 30);
}

TEST(RateLimiter, HasNoLimitWithZero) {
  RateLimiter limiter(0);
  EXPECT_EQ(Admitted(limiter, "10.0.0.1", {}), 100);
}

TEST(RateLimiter, ForgetsIdleAddressesWhenThereAreTooMany) {
  RateLimiter limiter(1);
  const RateLimiter::Clock::time_point now{};
  for (size_t i = 0; i < RateLimiter::kMaxAddresses; ++i) {
    const auto peer = fmt::format("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255);
    ASSERT_TRUE(limiter.Admit(Peer(peer), now));
  }
  EXPECT_FALSE(limiter.Admit(Peer("11.0.0.1"), now));
  EXPECT_TRUE(limiter.Admit(Peer("11.0.0.1"), now + seconds(61)));
  EXPECT_EQ(limiter.addresses(), 1U);
}

}  // namespace
}  // namespace ospatrol::authd
