#include <algorithm>

#include "secure/v2/agent_core.h"

namespace ospatrol::secure::v2 {

namespace {

constexpr int kTriesPerRound = 3;
constexpr int64_t kBetweenTriesMs = 2000;
constexpr int64_t kMaxPauseMs = 30000;
constexpr int64_t kDiskPauseMs = 5000;
constexpr int64_t kYoungSessionMs = 60 * 1000;
constexpr int64_t kMaxResetPauseMs = 8000;

}  // namespace

int64_t AgentLink::Core::Jitter(int64_t about_ms) {
  const auto spread = static_cast<uint64_t>(about_ms / 2 + 1);
  return about_ms * 3 / 4 + static_cast<int64_t>(RandomBelow(random_, spread));
}

void AgentLink::Core::SayHelloAt(int64_t when_ms) {
  initiator_.reset();
  hello_tries_ = 0;
  hello_at_ms_ = when_ms;
}

void AgentLink::Core::Start(Now now) {
  round_pause_ms_ = 0;
  heard_ms_ = now.monotonic_ms;
  SayHelloAt(now.monotonic_ms);
}

bool AgentLink::Core::MakeHello(Now now) {
  const uint64_t clock = now.wall_ms > 0 ? static_cast<uint64_t>(now.wall_ms) * 1000 : 1;
  const auto counter = peer_.NextHelloCounter(std::max(clock, counter_floor_));
  if (!counter) return false;
  HelloContent content;
  content.wall_ms = static_cast<uint64_t>(std::max<int64_t>(0, now.wall_ms));
  content.ciphers = config_.ciphers;
  content.max_datagram = config_.max_datagram;
  content.spool = source_.id();
  content.first = source_.first();
  content.next = source_.next();
  content.product = config_.product;
  initiator_ =
      std::make_unique<Initiator>(aead_, random_, config_.agent_id, psk_, *counter, content);
  hello_first_event_ = content.first;
  hello_first_ms_ = now.monotonic_ms;
  hello_tries_ = 0;
  return true;
}

size_t AgentLink::Core::SendHello(Now now, MutableBytes out) {
  if (hello_tries_ == kTriesPerRound) {
    EndRound(now);
    return 0;
  }
  if (!initiator_ && !MakeHello(now)) {
    hello_at_ms_ = now.monotonic_ms + Jitter(kDiskPauseMs);
    return 0;
  }
  ++hello_tries_;
  hello_at_ms_ = now.monotonic_ms + kBetweenTriesMs;
  const Bytes hello = initiator_->hello();
  std::copy(hello.begin(), hello.end(), out.begin());
  return hello.size();
}

void AgentLink::Core::EndRound(Now now) {
  round_pause_ms_ = std::min(kMaxPauseMs, std::max(kBetweenTriesMs, 2 * round_pause_ms_));
  SayHelloAt(now.monotonic_ms + Jitter(round_pause_ms_));
  if (!session_ || silent_) peer_.Unreachable();
}

Verdict AgentLink::Core::TakeCookie(Now now, Bytes datagram) {
  if (!initiator_) return Verdict::kDuplicate;
  if (!initiator_->TakeCookie(datagram)) return Verdict::kNotExpected;
  hello_at_ms_ = std::min(hello_at_ms_, now.monotonic_ms);
  hello_tries_ = std::min(hello_tries_, kTriesPerRound - 1);
  return Verdict::kTaken;
}

Verdict AgentLink::Core::TakeStale(Now now, Bytes datagram) {
  if (!initiator_) return Verdict::kDuplicate;
  const auto highest = initiator_->ReadStale(aead_, datagram);
  if (!highest) return Verdict::kWrongKey;
  counter_floor_ = *highest + 1;
  SayHelloAt(now.monotonic_ms);
  return Verdict::kTaken;
}

Verdict AgentLink::Core::TakeWelcome(Now now, Bytes datagram) {
  if (!initiator_) return Verdict::kDuplicate;
  const auto result = initiator_->ReadWelcome(aead_, datagram);
  if (!result) return Verdict::kWrongKey;
  if (result->content.received > events_.sent()) {
    SetBack(now);
    return Verdict::kTaken;
  }
  Establish(now, *result);
  return Verdict::kTaken;
}

// The manager has events of our spool that we never sent: what we are about to number has been used
// by another life of this spool. Under a new id nothing is taken for a repetition.
void AgentLink::Core::SetBack(Now now) {
  const SpoolId before = source_.id();
  EndSession();
  source_.SetBack();
  events_.Forget();
  const bool changed = source_.id() != before;
  SayHelloAt(now.monotonic_ms + (changed ? 0 : Jitter(kMaxPauseMs)));
}

void AgentLink::Core::EndSession() {
  if (session_) ended_remote_ = session_->remote();
  session_.reset();
  old_.reset();
  fate_.Clear();
  sender_.Abandon(fate_);
  fate_.Clear();
  acknowledger_.Clear();
  silent_ = false;
  asked_ms_ = kNever;
  manager_busy_ = false;
}

void AgentLink::Core::Establish(Now now, const Initiator::Result& result) {
  const bool renewed = session_.has_value() && !silent_;
  const uint32_t local = initiator_->connection();
  std::optional<Old> old;
  if (session_) old = Old{*session_, now.monotonic_ms + kOldKeysMs};
  EndSession();
  old_ = old;
  session_.emplace(result.keys, local, result.remote, now.monotonic_ms);
  initiator_.reset();
  hello_at_ms_ = kNever;
  round_pause_ms_ = 0;
  counter_floor_ = 0;
  reset_ = result.content.reset;
  manager_ = result.content.manager;
  manager_began_ms_ = hello_first_ms_;
  clock_difference_ms_ = now.wall_ms - now.monotonic_ms;
  peer_datagram_ = result.content.max_datagram;
  keep_alive_s_ = std::max<uint16_t>(1, result.content.keep_alive_s);
  if (config_.keep_alive_s != 0) keep_alive_s_ = std::min(keep_alive_s_, config_.keep_alive_s);
  heard_ms_ = now.monotonic_ms;
  progress_ms_ = now.monotonic_ms;
  if (datagram_ > peer_datagram_) datagram_ = kSafeDatagram;
  probe_ = 0;
  probe_tries_ = 0;
  probe_on_way_ = false;
  ping_on_way_ = false;
  pings_ = 0;
  status_waits_ = true;  // proves to the manager that we have the keys
  for (ControlAck& ack : control_acks_) ack.waits = true;
  files_.SendAllAgain();
  events_.Stored(result.content.stored);
  const uint64_t from =
      std::max({hello_first_event_, result.content.stored + 1, events_.acknowledged() + 1});
  events_.Begin(from, now.monotonic_ms);
  peer_.Established({manager_, session_->cipher(), result.content.stay, keep_alive_s_, renewed});
}

Verdict AgentLink::Core::TakeReset(Now now, Bytes datagram) {
  const auto header = ParseHeader(datagram);
  const Bytes token = datagram.subspan(kHeaderSize);
  // Every packet that was on its way to a restarted manager brings one.
  if (header && header->connection == ended_remote_) return Verdict::kDuplicate;
  if (!session_ || !header || header->connection != session_->remote() ||
      !EqualInConstantTime(token, reset_)) {
    return Verdict::kNotExpected;
  }
  // A session that ends young again and again: another agent has this key. Both take turns, more
  // and more slowly.
  const bool young = now.monotonic_ms - session_->began_ms() < kYoungSessionMs;
  reset_pause_ms_ = young ? std::clamp<int64_t>(2 * reset_pause_ms_, 1000, kMaxResetPauseMs) : 0;
  EndSession();
  SayHelloAt(now.monotonic_ms + (young ? Jitter(reset_pause_ms_) : 0));
  return Verdict::kTaken;
}

}  // namespace ospatrol::secure::v2
