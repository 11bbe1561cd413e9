#include "remoted/fair_share.h"

#include <algorithm>
#include <functional>

namespace ospatrol::remoted {
namespace {

constexpr uint32_t kLeastAllowance = 8;

}  // namespace

void FairShare::Batch(bool full, bool dropped, Clock::time_point now) {
  overloaded_ = full && (overloaded_ || dropped);
  if (now - began_ < kPeriod) return;
  // What was opened in a period is what this machine can do; next time everybody who sends gets an
  // equal part of it, and half as much again for those who send less.
  if (sources_ > 0) {
    allowance_ = std::max(kLeastAllowance, admitted_ / sources_ + admitted_ / sources_ / 2);
  }
  began_ = now;
  admitted_ = 0;
  sources_ = 0;
  salt_ = salt_ * 6364136223846793005ULL + 1442695040888963407ULL;
  counts_.fill(0);
}

bool FairShare::Admit(const secure::PeerAddress& source) {
  const uint64_t hash = (std::hash<secure::PeerAddress>()(source) ^ salt_) * 0x9E3779B97F4A7C15ULL;
  uint32_t& count = counts_[(hash >> 32) % kCounters];
  if (count++ == 0) ++sources_;
  if (overloaded_ && allowance_ > 0 && count > allowance_ && count % kReadOneIn != 0) return false;
  ++admitted_;
  return true;
}

}  // namespace ospatrol::remoted
