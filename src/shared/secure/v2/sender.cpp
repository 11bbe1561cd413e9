#include "secure/v2/sender.h"

#include <algorithm>
#include <cmath>

namespace ospatrol::secure::v2 {

namespace {

constexpr uint64_t kLaterArrivals = 3;    // that make a packet lost
constexpr uint32_t kWindowOfSilence = 4;  // packets per try while nothing arrives
constexpr int64_t kNoPacingBelowMs = 2;
constexpr size_t kKeepCapacity = 64;

// A probe of a larger datagram: its loss says nothing about how much the network takes.
bool IsProbe(const Manifest& manifest) {
  return !manifest.empty() && manifest.cargo()[0].kind == CargoKind::kProbe;
}

}  // namespace

void Manifest::Add(const Cargo& cargo) { cargo_[count_++] = cargo; }

int64_t Sender::Timeout() const {
  const int64_t base = std::max(kMinTimeoutMs, 2 * smoothed_ms_);
  return std::min(kMaxTimeoutMs, base << std::min(timeouts_, 10));
}

uint32_t Sender::Allowed() const { return timeouts_ > 0 ? kWindowOfSilence : window_; }

double Sender::Rate() const {
  if (smoothed_ms_ < kNoPacingBelowMs) return 0;
  return 1.25 * window_ / static_cast<double>(smoothed_ms_);
}

double Sender::TokensAt(int64_t now_ms) const {
  const double rate = Rate();
  if (rate <= 0) return kBurst;
  const double limit = std::max(static_cast<double>(kBurst), 2 * rate);
  const auto passed = static_cast<double>(std::max<int64_t>(0, now_ms - refilled_ms_));
  return std::min(limit, tokens_ + passed * rate);
}

bool Sender::MaySend(int64_t now_ms) const {
  return in_flight_ < Allowed() && TokensAt(now_ms) >= 1;
}

int64_t Sender::NextSend(int64_t now_ms) const {
  if (in_flight_ >= Allowed()) return kNever;
  const double missing = 1 - TokensAt(now_ms);
  if (missing <= 0) return now_ms;
  return now_ms + std::max<int64_t>(1, static_cast<int64_t>(std::ceil(missing / Rate())));
}

void Sender::Sent(uint64_t number, int64_t now_ms, const Manifest& manifest) {
  tokens_ = std::max(0.0, TokensAt(now_ms) - 1);
  refilled_ms_ = now_ms;
  packets_.push_back({number, now_ms, manifest, false});
  ++in_flight_;
}

void Sender::MeasureRoundTrip(int64_t sample_ms) {
  // Rounded up: 0 means unknown.
  const int64_t sample = std::max<int64_t>(1, sample_ms);
  smoothed_ms_ = smoothed_ms_ == 0 ? sample : (7 * smoothed_ms_ + sample + 4) / 8;
}

uint32_t Sender::MarkArrived(const AckFrame& ack, int64_t now_ms, Fate& fate) {
  uint32_t arrived = 0;
  uint64_t top = ack.largest + 1;  // one above the numbers that are left
  for (size_t i = 0; i < ack.count; ++i) {
    top -= ack.ranges[i].missing;
    const uint64_t low = top - ack.ranges[i].received;
    auto packet = std::lower_bound(packets_.begin() + static_cast<ptrdiff_t>(head_), packets_.end(),
                                   low, [](const Packet& p, uint64_t n) { return p.number < n; });
    for (; packet != packets_.end() && packet->number < top; ++packet) {
      if (packet->done) continue;
      packet->done = true;
      --in_flight_;
      ++arrived;
      if (packet->number == ack.largest) {
        MeasureRoundTrip(now_ms - packet->sent_ms - int64_t{ack.delay_ms});
      }
      const auto cargo = packet->manifest.cargo();
      fate.arrived.insert(fate.arrived.end(), cargo.begin(), cargo.end());
    }
    top = low;
  }
  return arrived;
}

void Sender::Grow(uint32_t packets, size_t in_flight_before) {
  // A window that is not used says nothing about the network.
  if (in_flight_before * 2 < window_) return;
  if (slow_start_) {
    window_ = std::min(kMaxWindow, window_ + packets);
    return;
  }
  grown_ += packets;
  if (grown_ < window_) return;
  grown_ = 0;
  window_ = std::min(kMaxWindow, window_ + 1);
}

void Sender::Shrink(uint64_t lost_number, uint64_t next_number) {
  slow_start_ = false;
  if (lost_number < recovery_until_) return;
  recovery_until_ = next_number;
  grown_ = 0;
  window_ = std::max(kMinWindow, window_ / 2);
}

void Sender::Lose(Packet& packet, Fate& fate) {
  packet.done = true;
  --in_flight_;
  ++packets_lost_;
  const auto cargo = packet.manifest.cargo();
  fate.lost.insert(fate.lost.end(), cargo.begin(), cargo.end());
}

void Sender::DropDone() {
  while (head_ < packets_.size() && packets_[head_].done) ++head_;
  if (head_ == packets_.size()) {
    packets_.clear();
    head_ = 0;
    if (packets_.capacity() > kKeepCapacity) packets_.shrink_to_fit();
  } else if (head_ > kKeepCapacity && head_ * 2 > packets_.size()) {
    packets_.erase(packets_.begin(), packets_.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
  }
}

bool Sender::Acknowledged(const AckFrame& ack, uint64_t next_number, int64_t now_ms,
                          bool congestion, Fate& fate) {
  if (ack.count == 0) return true;
  if (ack.largest >= next_number) return false;
  const size_t before = in_flight_;
  const uint32_t arrived = MarkArrived(ack, now_ms, fate);
  if (arrived > 0) {
    timeouts_ = 0;
    Grow(arrived, before);
  }
  const uint64_t largest = ack.largest - ack.ranges[0].missing;
  if (!any_arrived_ || largest > largest_arrived_) largest_arrived_ = largest;
  any_arrived_ = true;
  for (size_t i = head_; i < packets_.size(); ++i) {
    Packet& packet = packets_[i];
    if (packet.number + kLaterArrivals > largest_arrived_) break;
    if (packet.done) continue;
    if (congestion && !IsProbe(packet.manifest)) Shrink(packet.number, next_number);
    Lose(packet, fate);
  }
  DropDone();
  return true;
}

bool Sender::CheckTimeout(uint64_t next_number, int64_t now_ms, bool congestion, Fate& fate) {
  if (now_ms < timeout_at()) return false;
  const int64_t timeout = Timeout();
  for (size_t i = head_; i < packets_.size(); ++i) {
    Packet& packet = packets_[i];
    if (packet.done || packet.sent_ms + timeout > now_ms) continue;
    if (congestion && !IsProbe(packet.manifest)) Shrink(packet.number, next_number);
    Lose(packet, fate);
  }
  ++timeouts_;
  DropDone();
  return true;
}

void Sender::Abandon(Fate& fate) {
  for (size_t i = head_; i < packets_.size(); ++i) {
    if (!packets_[i].done) Lose(packets_[i], fate);
  }
  DropDone();
  recovery_until_ = 0;
  largest_arrived_ = 0;
  any_arrived_ = false;
  timeouts_ = 0;
}

int64_t Sender::timeout_at() const {
  // The first that is not done was sent first.
  return head_ < packets_.size() ? packets_[head_].sent_ms + Timeout() : kNever;
}

}  // namespace ospatrol::secure::v2
