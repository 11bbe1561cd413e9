#include <algorithm>

#include "secure/v2/agent_core.h"

namespace ospatrol::secure::v2 {

namespace {

constexpr std::array<size_t, 3> kProbes = {1400, 4096, kMaxDatagram};
constexpr int kProbeTries = 3;
constexpr int kTimeoutsToDistrust = 2;  // of a larger datagram size
constexpr int64_t kClockJumpMs = 30 * 1000;
constexpr int64_t kBusyPingMs = 1000;
constexpr int64_t kMaxPingMs = 30 * 1000;
constexpr int64_t kResyncMs = 300 * 1000;

}  // namespace

void AgentLink::Core::Close(CloseReason reason, std::string_view text) {
  close_waits_ = session_.has_value();
  closed_ = !close_waits_;
  close_reason_ = reason;
  close_text_ = text;
}

// A clock that jumps while the machine runs may mean that it was set back to an earlier state. Its
// keys would be used twice.
void AgentLink::Core::CheckClocks(Now now) {
  const int64_t jump = now.wall_ms - now.monotonic_ms - clock_difference_ms_;
  if (jump > -kClockJumpMs && jump < kClockJumpMs) return;
  EndSession();
  SayHelloAt(now.monotonic_ms);
}

void AgentLink::Core::CheckSilence(Now now) {
  if (silent_ || asked_ms_ == kNever || now.monotonic_ms - asked_ms_ < kSilenceMs) return;
  silent_ = true;
  SayHelloAt(now.monotonic_ms);
}

void AgentLink::Core::Tidy(Now now) {
  if (old_ && now.monotonic_ms >= old_->until_ms) old_.reset();
  if (!session_) return;
  CheckClocks(now);
  if (!session_) return;
  fate_.Clear();
  if (sender_.CheckTimeout(session_->next_number(), now.monotonic_ms, !manager_busy_, fate_) &&
      sender_.timeouts() >= kTimeoutsToDistrust) {
    datagram_ = kSafeDatagram;  // the path may have become narrower
  }
  Settle(now);
  CheckSilence(now);
  if (now.monotonic_ms >= status_at_ms_) {
    status_waits_ = true;
    status_at_ms_ = kNever;
  }
  const bool stuck =
      events_.waits_for_stored() && !manager_busy_ && now.monotonic_ms - progress_ms_ >= kResyncMs;
  if (hello_at_ms_ == kNever && (stuck || session_->IsWorn(now.monotonic_ms))) {
    if (stuck) progress_ms_ = now.monotonic_ms;
    SayHelloAt(now.monotonic_ms);
  }
}

void AgentLink::Core::Settle(Now now) {
  for (const Cargo& cargo : fate_.arrived) {
    switch (cargo.kind) {
      case CargoKind::kControlAck:
        std::erase_if(control_acks_,
                      [&cargo](const ControlAck& a) { return a.number == cargo.a && !a.waits; });
        break;
      case CargoKind::kFileAck:
        files_.Arrived(cargo);
        break;
      case CargoKind::kPing:
        ping_on_way_ = false;
        break;
      case CargoKind::kProbe:
        probe_on_way_ = false;
        datagram_ = std::max<size_t>(datagram_, cargo.b);
        ++probe_;
        probe_tries_ = 0;
        break;
      case CargoKind::kEvents:
      case CargoKind::kPart:
      case CargoKind::kGap:
        progress_ms_ = now.monotonic_ms;
        ping_at_ms_ = now.monotonic_ms + PingInterval();
        break;
      default:
        break;
    }
  }
  for (const Cargo& cargo : fate_.lost) {
    switch (cargo.kind) {
      case CargoKind::kControlAck:
        for (ControlAck& ack : control_acks_) {
          if (ack.number == cargo.a) ack.waits = true;
        }
        break;
      case CargoKind::kFileAck:
        files_.Lost(cargo);
        break;
      case CargoKind::kStatus:
        status_waits_ = true;
        break;
      case CargoKind::kPing:
        ping_on_way_ = false;
        ping_at_ms_ = now.monotonic_ms;
        break;
      case CargoKind::kProbe:
        probe_on_way_ = false;
        if (++probe_tries_ == kProbeTries) probe_ = kProbes.size();
        break;
      default:
        events_.Lost(cargo);
        break;
    }
  }
  fate_.Clear();
}

int64_t AgentLink::Core::PingInterval() const {
  const int64_t base = std::max(kBusyPingMs, 2 * sender_.smoothed_ms());
  return std::min(kMaxPingMs, base << std::min(pings_, 6));
}

// Asks for an ACK, which tells what is stored and whether the manager is busy: when nothing else
// that is on its way would.
bool AgentLink::Core::WantsPing(Now now) const {
  if (ping_on_way_ || now.monotonic_ms < ping_at_ms_) return false;
  return manager_busy_ || (events_.waits_for_stored() && sender_.in_flight() == 0);
}

bool AgentLink::Core::WantsProbe(Now now) const {
  return config_.probe && !probe_on_way_ && probe_ < kProbes.size() && !silent_ &&
         kProbes[probe_] <= std::min<size_t>(config_.max_datagram, peer_datagram_) &&
         sender_.smoothed_ms() > 0 && !manager_busy_ && events_.Fills(Room()) &&
         sender_.MaySend(now.monotonic_ms);
}

bool AgentLink::Core::MaySendEvents(Now now) const {
  return !manager_busy_ && events_.IsReady(now.monotonic_ms, sender_.in_flight() == 0, Room());
}

bool AgentLink::Core::WantsCargo(Now now) const {
  if (silent_) return false;
  const bool ack = std::any_of(control_acks_.begin(), control_acks_.end(),
                               [](const ControlAck& a) { return a.waits; });
  return ack || status_waits_ || files_.has_cargo() || WantsPing(now) || MaySendEvents(now);
}

size_t AgentLink::Core::NextDatagram(Now now, MutableBytes out) {
  if (closed_) return 0;
  Tidy(now);
  if (now.monotonic_ms >= hello_at_ms_) {
    const size_t size = SendHello(now, out);
    if (size > 0) return size;
  }
  if (!session_) {
    closed_ = closed_ || close_waits_;
    return 0;
  }
  const bool probe = WantsProbe(now);
  const bool cargo = !probe && sender_.MaySend(now.monotonic_ms) && WantsCargo(now);
  if (!probe && !cargo && !close_waits_ && !acknowledger_.IsDue(now.monotonic_ms)) return 0;

  const size_t limit = probe ? kProbes[probe_] : datagram_;
  FrameWriter writer(out.first(limit - kTagSize).subspan(kHeaderSize));
  Manifest manifest;
  if (acknowledger_.due_ms() != kNever) PutAck(writer, now);
  if (has_pong_ && writer.PutPing(FrameType::kPong, pong_)) has_pong_ = false;
  if (probe) {
    PutProbe(writer, manifest);
  } else if (cargo) {
    PutCargo(writer, manifest, now);
  }
  if (close_waits_) {
    writer.Put(CloseFrame{static_cast<uint16_t>(close_reason_), close_text_});
    closed_ = true;
  }
  if (writer.size() == 0) return 0;
  const uint64_t number = session_->next_number();
  const size_t size = session_->Seal(aead_, writer.size(), out);
  if (!manifest.empty()) {
    sender_.Sent(number, now.monotonic_ms, manifest);
    if (asked_ms_ == kNever) asked_ms_ = now.monotonic_ms;
  }
  return size;
}

void AgentLink::Core::PutAck(FrameWriter& writer, Now now) {
  AckFrame ack;
  session_->window().Describe(ack);
  ack.delay_ms = acknowledger_.Sending(now.monotonic_ms);
  writer.Put(ack);
}

void AgentLink::Core::PutCargo(FrameWriter& writer, Manifest& manifest, Now now) {
  PutControlAcks(writer, manifest);
  files_.Put(writer, manifest);
  if (status_waits_ && !manifest.full()) PutStatus(writer, manifest, now);
  if (WantsPing(now) && !manifest.full()) PutPing(writer, manifest, now);
  if (MaySendEvents(now) && !manifest.full()) events_.Put(writer, manifest, now.monotonic_ms);
}

void AgentLink::Core::PutControlAcks(FrameWriter& writer, Manifest& manifest) {
  for (ControlAck& ack : control_acks_) {
    if (manifest.full()) return;
    if (!ack.waits) continue;
    ControlAckFrame frame;
    frame.number = ack.number;
    for (const auto& done : controls_done_) {
      if (done.number != ack.number) continue;
      frame.result = done.result;
      frame.text = done.text;
    }
    if (!writer.Put(frame)) return;
    ack.waits = false;
    manifest.Add({CargoKind::kControlAck, ack.number, 0, 0});
  }
}

void AgentLink::Core::PutStatus(FrameWriter& writer, Manifest& manifest, Now now) {
  StatusFrame status = peer_.Status();
  status.wall_ms = static_cast<uint64_t>(std::max<int64_t>(0, now.wall_ms));
  status.round_trip_ms = static_cast<uint32_t>(sender_.smoothed_ms());
  if (!writer.Put(status)) return;
  status_waits_ = false;
  status_at_ms_ = now.monotonic_ms + int64_t{keep_alive_s_} * 1000;
  manifest.Add({CargoKind::kStatus, 0, 0, 0});
}

void AgentLink::Core::PutPing(FrameWriter& writer, Manifest& manifest, Now now) {
  PingCookie cookie{};
  random_.Fill(cookie);
  if (!writer.PutPing(FrameType::kPing, cookie)) return;
  ping_on_way_ = true;
  ++pings_;
  ping_at_ms_ = now.monotonic_ms + PingInterval();
  manifest.Add({CargoKind::kPing, 0, 0, 0});
}

void AgentLink::Core::PutProbe(FrameWriter& writer, Manifest& manifest) {
  PingCookie cookie{};
  random_.Fill(cookie);
  writer.PutPing(FrameType::kPing, cookie);
  writer.PadTo(kProbes[probe_] - kHeaderSize - kTagSize);
  probe_on_way_ = true;
  manifest.Add({CargoKind::kProbe, 0, static_cast<uint32_t>(kProbes[probe_]), 0});
}

int64_t AgentLink::Core::NextWake(Now now) const {
  if (closed_) return kNever;
  int64_t wake = hello_at_ms_;
  if (old_) wake = std::min(wake, old_->until_ms);
  if (!session_) return wake;
  wake = std::min({wake, acknowledger_.due_ms(), sender_.timeout_at(), status_at_ms_});
  if (close_waits_) wake = now.monotonic_ms;
  if (asked_ms_ != kNever && !silent_) wake = std::min(wake, asked_ms_ + kSilenceMs);
  if (hello_at_ms_ == kNever) wake = std::min(wake, session_->began_ms() + kRekeyAfterMs);
  if (silent_) return wake;
  // The earliest moment at which there is cargo, and not before the sender may send.
  int64_t cargo = WantsCargo(now) || WantsProbe(now) ? now.monotonic_ms : kNever;
  if (!manager_busy_) cargo = std::min(cargo, events_.ready_at());
  if (!ping_on_way_ &&
      (manager_busy_ || (events_.waits_for_stored() && sender_.in_flight() == 0))) {
    cargo = std::min(cargo, ping_at_ms_);
  }
  if (events_.waits_for_stored() && !manager_busy_ && hello_at_ms_ == kNever) {
    wake = std::min(wake, progress_ms_ + kResyncMs);
  }
  if (cargo == kNever) return wake;
  const int64_t may = sender_.NextSend(now.monotonic_ms);
  return may == kNever ? wake : std::min(wake, std::max(cargo, may));
}

}  // namespace ospatrol::secure::v2
