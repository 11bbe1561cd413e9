#include "secure/replay_window.h"

namespace ospatrol::secure {

namespace {

constexpr uint64_t kLocals = 10000;  // local has four digits
constexpr uint64_t kAllSeen = ~uint64_t{0};

uint64_t Number(Counter counter) { return uint64_t{counter.global} * kLocals + counter.local; }

}  // namespace

ReplayWindow ReplayWindow::From(Counter highest) { return From(highest, kAllSeen); }

ReplayWindow ReplayWindow::From(Counter highest, uint64_t bitmap) {
  ReplayWindow window;
  window.highest_ = Number(highest);
  window.bitmap_ = bitmap | 1;
  return window;
}

ReplayWindow::Verdict ReplayWindow::Check(Counter counter) const {
  const uint64_t number = Number(counter);
  if (number > highest_) return Verdict::kNew;
  const uint64_t behind = highest_ - number;
  // 0:0 is "nothing yet": no sender gives it to a packet.
  if (behind >= kSize || number == 0) return Verdict::kOld;
  return ((bitmap_ >> behind) & 1) != 0 ? Verdict::kDuplicate : Verdict::kNew;
}

ReplayWindow::Verdict ReplayWindow::Accept(Counter counter) {
  const Verdict verdict = Check(counter);
  if (verdict != Verdict::kNew) return verdict;
  const uint64_t number = Number(counter);
  if (number > highest_) {
    const uint64_t ahead = number - highest_;
    bitmap_ = ahead >= kSize ? 1 : (bitmap_ << ahead) | 1;
    highest_ = number;
  } else {
    bitmap_ |= uint64_t{1} << (highest_ - number);
  }
  return verdict;
}

void ReplayWindow::AcceptAny(Counter counter) {
  if (Accept(counter) == Verdict::kNew) return;
  *this = From(counter);
}

Counter ReplayWindow::highest() const {
  return {.global = static_cast<uint32_t>(highest_ / kLocals),
          .local = static_cast<uint32_t>(highest_ % kLocals)};
}

}  // namespace ospatrol::secure
