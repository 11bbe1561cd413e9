// Which packets are on their way, which arrived, which are lost, and when the next may go.
//
// Lost packets are not repeated as such: what they carried goes into new packets (frames of another
// size, perhaps). So the sender knows a packet's cargo by name only, and hands it back to its owner
// as arrived or as lost.
//
// Window: starts at 16 packets, grows by one per acknowledged packet until the first loss, then by
// one per window, halves at most once per round trip on loss; 16..512. Lost: when a packet sent
// three or more later was acknowledged, or after max(1 s, 2 x smoothed round trip), doubling up to
// 30 s while nothing arrives. Pacing: no more than 5/4 of the window per round trip, in bursts of
// at most 16 packets.
#pragma once

#include <array>
#include <vector>

#include "secure/v2/frames.h"

namespace ospatrol::secure::v2 {

enum class CargoKind : uint8_t {
  kEvents,      // a = first number, b = count
  kPart,        // a = event number, b = offset, c = length
  kGap,         // a = first number, b and c = high and low half of the next
  kControl,     // a = control number
  kControlAck,  // a = control number
  kFile,        // a = offset, b = transfer, c = length
  kFileAck,     // b = transfer
  kStatus,
  kPing,
  kProbe,  // b = datagram size
};

struct Cargo {
  CargoKind kind = CargoKind::kPing;
  uint64_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
};

// What one packet carries; made on the stack, copied into the sender.
class Manifest {
 public:
  static constexpr size_t kMax = 6;

  bool full() const { return count_ == kMax; }
  bool empty() const { return count_ == 0; }
  void Add(const Cargo& cargo);  // REQUIRES: !full()
  std::span<const Cargo> cargo() const { return {cargo_.data(), count_}; }

 private:
  std::array<Cargo, kMax> cargo_{};
  uint8_t count_ = 0;
};

class Sender {
 public:
  static constexpr uint32_t kMinWindow = 16;
  static constexpr uint32_t kMaxWindow = 512;
  static constexpr uint32_t kBurst = 16;
  static constexpr int64_t kMinTimeoutMs = 1000;
  static constexpr int64_t kMaxTimeoutMs = 30000;

  // May a packet with cargo go now? Packets without (ACK alone) are not counted and always may.
  bool MaySend(int64_t now_ms) const;
  // When the answer may change without anything being received: pacing.
  int64_t NextSend(int64_t now_ms) const;

  // Numbers rise. REQUIRES: !manifest.empty().
  void Sent(uint64_t number, int64_t now_ms, const Manifest& manifest);

  // What became of cargo since the last call; the vectors are appended to.
  struct Fate {
    std::vector<Cargo> arrived;
    std::vector<Cargo> lost;
    void Clear() {
      arrived.clear();
      lost.clear();
    }
  };
  // False: the ACK names packets that were never sent, or its ranges cannot be; nothing was done.
  // `congestion` false: the peer said that it refuses events, so losses say nothing about the
  // network.
  bool Acknowledged(const AckFrame& ack, uint64_t next_number, int64_t now_ms, bool congestion,
                    Fate& fate);
  // Gives up on packets whose time is over. True when some were.
  bool CheckTimeout(uint64_t next_number, int64_t now_ms, bool congestion, Fate& fate);
  // The session ended: everything on its way is lost. Round trip and window stay.
  void Abandon(Fate& fate);

  // When CheckTimeout has something to do; kNever when nothing is on its way.
  int64_t timeout_at() const;

  size_t in_flight() const { return in_flight_; }
  uint32_t window() const { return window_; }
  int64_t smoothed_ms() const { return smoothed_ms_; }  // 0: not measured yet
  int timeouts() const { return timeouts_; }            // in a row without an arrival
  uint64_t packets_lost() const { return packets_lost_; }
  size_t heap_bytes() const { return packets_.capacity() * sizeof(Packet); }

 private:
  struct Packet {
    uint64_t number = 0;
    int64_t sent_ms = 0;
    Manifest manifest;
    bool done = false;  // arrived or lost
  };

  int64_t Timeout() const;
  uint32_t Allowed() const;  // the window, or a few packets while nothing arrives
  double TokensAt(int64_t now_ms) const;
  double Rate() const;  // packets per ms; 0: no pacing
  void MeasureRoundTrip(int64_t sample_ms);
  uint32_t MarkArrived(const AckFrame& ack, int64_t now_ms, Fate& fate);
  void Grow(uint32_t packets, size_t in_flight_before);
  void Shrink(uint64_t lost_number, uint64_t next_number);
  void Lose(Packet& packet, Fate& fate);
  void DropDone();

  std::vector<Packet> packets_;  // by number; [head_, size) are kept
  size_t head_ = 0;
  size_t in_flight_ = 0;
  uint32_t window_ = kMinWindow;
  uint32_t grown_ = 0;  // acknowledged packets since the window grew
  bool slow_start_ = true;
  uint64_t recovery_until_ = 0;  // losses below this packet number do not shrink the window again
  uint64_t largest_arrived_ = 0;
  bool any_arrived_ = false;
  int64_t smoothed_ms_ = 0;
  int timeouts_ = 0;
  uint64_t packets_lost_ = 0;
  double tokens_ = kBurst;
  int64_t refilled_ms_ = 0;
};

}  // namespace ospatrol::secure::v2
