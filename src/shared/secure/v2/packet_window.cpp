#include "secure/v2/packet_window.h"

#include <algorithm>
#include <bit>

namespace ospatrol::secure::v2 {

bool PacketWindow::Has(uint64_t number) const {
  return (bits_[number % kBits / 64] >> (number % 64) & 1) != 0;
}

PacketWindow::Place PacketWindow::Look(uint64_t number) const {
  if (!any_ || number > highest_) return Place::kNew;
  if (highest_ - number >= kBits) return Place::kOld;
  return Has(number) ? Place::kDuplicate : Place::kNew;
}

void PacketWindow::Mark(uint64_t number) {
  if (!any_ || number > highest_) {
    if (!any_ || number - highest_ >= kBits) {
      bits_.fill(0);
    } else {
      for (uint64_t skipped = highest_ + 1; skipped < number;) {
        // The rest of a word at once.
        const uint64_t in_word = std::min<uint64_t>(64 - skipped % 64, number - skipped);
        const uint64_t mask = (in_word == 64 ? ~uint64_t{0} : ((uint64_t{1} << in_word) - 1))
                              << (skipped % 64);
        bits_[skipped % kBits / 64] &= ~mask;
        skipped += in_word;
      }
    }
    highest_ = number;
    any_ = true;
  } else if (highest_ - number >= kBits) {
    return;
  }
  bits_[number % kBits / 64] |= uint64_t{1} << (number % 64);
}

uint64_t PacketWindow::RunBelow(uint64_t number, uint64_t floor, bool received) const {
  uint64_t length = 0;
  while (number - length >= floor) {
    const uint64_t at = number - length;
    // Bits at..(start of the word), the one of `at` at the top.
    uint64_t word = bits_[at % kBits / 64] << (63 - at % 64);
    if (!received) word = ~word;
    const uint64_t in_word = std::min<uint64_t>(at % 64 + 1, at - floor + 1);
    const auto run = std::min<uint64_t>(static_cast<uint64_t>(std::countl_one(word)), in_word);
    length += run;
    if (run < in_word || number < length) break;
  }
  return length;
}

void PacketWindow::Describe(AckFrame& frame, size_t max_ranges) const {
  frame.largest = highest_;
  frame.count = 0;
  if (!any_) return;
  const uint64_t floor = highest_ >= kBits ? highest_ - kBits + 1 : 0;
  const size_t limit = std::min(max_ranges, AckFrame::kMaxRanges);
  uint64_t left = highest_ - floor + 1;  // numbers not described yet: floor .. floor + left - 1
  while (left > 0 && frame.count < limit) {
    const uint64_t missing = RunBelow(floor + left - 1, floor, false);
    if (missing >= left) break;
    left -= missing;
    const uint64_t received = RunBelow(floor + left - 1, floor, true);
    left -= received;
    frame.ranges[frame.count++] = {static_cast<uint16_t>(missing), static_cast<uint16_t>(received)};
  }
}

}  // namespace ospatrol::secure::v2
