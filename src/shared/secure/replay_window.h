// Refuses packets that were seen before or are too old (wire-protocol 2.6 step 13, 2.9 item 6).
//
// A counter pair is one number: global x 10000 + local, since local has four digits. The window
// knows the highest number and, one bit each, which of the 64 below it were seen; so UDP may
// reorder, also where local starts again. What a pair skips (local ends at 9997) is never sent and
// costs three bits of the window.
#pragma once

#include <cstdint>

#include "secure/sealed_message.h"

namespace ospatrol::secure {

// Values; 16 bytes. Thread-compatible.
class ReplayWindow {
 public:
  static constexpr uint64_t kSize = 64;

  enum class Verdict : uint8_t {
    kNew,
    kDuplicate,  // seen: 1407
    kOld,        // below the window: seen or not, 1407 too
  };

  // Nothing seen: everything above 0:0 is new.
  ReplayWindow() = default;
  // Everything up to `highest` counts as seen: for a stored pair whose window is not known.
  static ReplayWindow From(Counter highest);
  static ReplayWindow From(Counter highest, uint64_t bitmap);

  // kNew remembers the counter. Call it for authentic packets only.
  Verdict Accept(Counter counter);
  // What Accept would say.
  Verdict Check(Counter counter) const;
  // Takes any counter and goes on from it, down too: remoted.verify_msg_id=0, nothing else.
  void AcceptAny(Counter counter);

  bool empty() const { return highest_ == 0; }
  Counter highest() const;
  // Bit n: the number n below the highest was seen; bit 0 is the highest itself.
  uint64_t bitmap() const { return bitmap_; }
  bool operator==(const ReplayWindow&) const = default;

 private:
  uint64_t highest_ = 0;
  uint64_t bitmap_ = 0;
};

}  // namespace ospatrol::secure
