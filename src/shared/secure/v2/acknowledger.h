// When to acknowledge: every second packet that asks for it, or 25 ms after the first.
#pragma once

#include "secure/v2/packet_window.h"

namespace ospatrol::secure::v2 {

class Acknowledger {
 public:
  static constexpr int64_t kDelayMs = 25;
  static constexpr int kEvery = 2;

  // A packet was accepted. `asks`: it carries more than ACK, PAD, PONG or CLOSE.
  void Received(int64_t now_ms, bool newest, bool asks);
  // What ACK tells has changed (events stored, busy): say so after at most `delay_ms`.
  void Changed(int64_t now_ms, int64_t delay_ms);

  bool IsDue(int64_t now_ms) const { return now_ms >= due_ms_; }
  int64_t due_ms() const { return due_ms_; }  // kNever: nothing to tell
  // An ACK is being sent: the time since the newest packet came, for its delay field.
  uint16_t Sending(int64_t now_ms);
  void Clear() { *this = Acknowledger(); }

 private:
  int64_t due_ms_ = kNever;
  int64_t newest_ms_ = 0;
  int waiting_ = 0;
};

}  // namespace ospatrol::secure::v2
