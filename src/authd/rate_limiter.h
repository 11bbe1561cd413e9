// How often one address may try: a bucket per address that fills up within a minute.
#pragma once

#include <chrono>
#include <unordered_map>

#include "secure/peer_address.h"

namespace ospatrol::authd {

// O(1). One thread. IPv6 addresses of one /64 are one: a host has them all.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kMaxAddresses = 65536;

  // 0: no limit.
  explicit RateLimiter(size_t per_minute) : per_minute_(per_minute) {}

  // May this address try now? Counts the attempt when it may. When too many addresses are
  // remembered, those that are idle are forgotten; if there is none, nobody new may.
  bool Admit(const secure::PeerAddress& peer, Clock::time_point now);

  void SetLimit(size_t per_minute) { per_minute_ = per_minute; }
  size_t addresses() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens;
    Clock::time_point filled;
  };

  double TokensAt(const Bucket& bucket, Clock::time_point now) const;
  void ForgetIdle(Clock::time_point now);

  size_t per_minute_;
  std::unordered_map<pattern::IpAddress, Bucket, secure::IpHash> buckets_;
};

}  // namespace ospatrol::authd
