// Which packet numbers of a session were accepted: a 1024 bit window below the highest one.
#pragma once

#include <array>

#include "secure/v2/frames.h"

namespace ospatrol::secure::v2 {

// 144 bytes; O(1) per packet (a jump ahead clears at most 16 words).
class PacketWindow {
 public:
  static constexpr uint64_t kBits = 1024;

  enum class Place { kNew, kDuplicate, kOld };

  // Where `number` stands. Ask before the packet's content is acted on, Mark after it was accepted.
  Place Look(uint64_t number) const;
  void Mark(uint64_t number);

  bool empty() const { return !any_; }
  uint64_t highest() const { return highest_; }  // meaningful unless empty()

  // Fills largest, count and ranges. Ranges that do not fit into `frame`, nor into `max_ranges`,
  // are left out: those packets stay unacknowledged.
  void Describe(AckFrame& frame, size_t max_ranges = AckFrame::kMaxRanges) const;

 private:
  bool Has(uint64_t number) const;
  // How many numbers in a row, from `number` down to at least `floor`, came (or did not).
  uint64_t RunBelow(uint64_t number, uint64_t floor, bool received) const;

  std::array<uint64_t, kBits / 64> bits_{};  // bit of a number: number % kBits
  uint64_t highest_ = 0;
  bool any_ = false;
};

}  // namespace ospatrol::secure::v2
