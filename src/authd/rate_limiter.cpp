#include "authd/rate_limiter.h"

#include <algorithm>

namespace ospatrol::authd {

namespace {

constexpr double kSecondsPerMinute = 60.0;
constexpr size_t kHostBytes = 8;

pattern::IpAddress Source(const secure::PeerAddress& peer) {
  pattern::IpAddress ip = peer.ip;
  if (!peer.IsV4()) std::fill(ip.end() - kHostBytes, ip.end(), uint8_t{0});
  return ip;
}

}  // namespace

double RateLimiter::TokensAt(const Bucket& bucket, Clock::time_point now) const {
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  const auto capacity = static_cast<double>(per_minute_);
  return std::min(capacity, bucket.tokens + seconds * capacity / kSecondsPerMinute);
}

bool RateLimiter::Admit(const secure::PeerAddress& peer, Clock::time_point now) {
  if (per_minute_ == 0) return true;
  if (buckets_.size() >= kMaxAddresses) ForgetIdle(now);
  const pattern::IpAddress source = Source(peer);
  if (buckets_.size() >= kMaxAddresses && !buckets_.contains(source)) return false;
  const auto [entry, is_new] =
      buckets_.try_emplace(source, Bucket{static_cast<double>(per_minute_), now});
  Bucket& bucket = entry->second;
  bucket = {.tokens = TokensAt(bucket, now), .filled = now};
  if (bucket.tokens < 1.0) return false;
  bucket.tokens -= 1.0;
  return true;
}

void RateLimiter::ForgetIdle(Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return TokensAt(entry.second, now) >= static_cast<double>(per_minute_);
  });
}

}  // namespace ospatrol::authd
