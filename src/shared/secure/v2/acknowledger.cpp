#include "secure/v2/acknowledger.h"

#include <algorithm>

namespace ospatrol::secure::v2 {

void Acknowledger::Received(int64_t now_ms, bool newest, bool asks) {
  if (newest) newest_ms_ = now_ms;
  if (!asks) return;
  ++waiting_;
  due_ms_ = std::min(due_ms_, waiting_ >= kEvery ? now_ms : now_ms + kDelayMs);
}

void Acknowledger::Changed(int64_t now_ms, int64_t delay_ms) {
  due_ms_ = std::min(due_ms_, now_ms + delay_ms);
}

uint16_t Acknowledger::Sending(int64_t now_ms) {
  waiting_ = 0;
  due_ms_ = kNever;
  return static_cast<uint16_t>(std::clamp<int64_t>(now_ms - newest_ms_, 0, 0xFFFF));
}

}  // namespace ospatrol::secure::v2
