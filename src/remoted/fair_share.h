// Who sends most waits most: while more packets come than can be opened, every source gets the same
// share of the work, so that a flood of one cannot keep the keep-alives of the others from being
// read (the kernel drops what is not read, whoever sent it).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "secure/peer_address.h"

namespace ospatrol::remoted {

// Thread-compatible. O(1) and about 20 KiB: sources share counters by hash, so a quiet one that
// shares with a loud one loses packets for at most kPeriod; then the hash is another.
class FairShare {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kCounters = 4096;
  static constexpr std::chrono::milliseconds kPeriod{200};
  // Of those above their share one in so many is read nevertheless: it is a sign of life.
  static constexpr uint32_t kReadOneIn = 16;

  // A batch was read; `full`: it had as many packets as one can have; `dropped`: the kernel had to
  // drop packets. Overload begins with that and ends when everything that waited is read: a burst
  // that fits into the receive buffer is none.
  void Batch(bool full, bool dropped, Clock::time_point now);
  bool overloaded() const { return overloaded_; }

  // May this packet be opened? Always, unless overloaded.
  bool Admit(const secure::PeerAddress& source);

 private:
  bool overloaded_ = false;
  Clock::time_point began_{};
  uint32_t admitted_ = 0;   // in this period
  uint32_t sources_ = 0;    // counters in use
  uint32_t allowance_ = 0;  // of a source in this period; 0: not known yet
  uint64_t salt_ = 0;
  std::array<uint32_t, kCounters> counts_{};
};

}  // namespace ospatrol::remoted
