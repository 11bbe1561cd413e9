#include "agentd/v1_session.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace ospatrol::agentd {
namespace {

using secure::ManagerMessage;

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

}  // namespace

V1Session::V1Session(Settings settings, const secure::AgentKey& key,
                     const secure::DerivedKeys& keys, secure::CipherEngine& engine,
                     secure::SenderCounter& counter,
                     std::shared_ptr<secure::ReceiveCounter> received, Owner& owner)
    : settings_(std::move(settings)),
      key_(key),
      keys_(keys),
      engine_(engine),
      counter_(counter),
      received_(std::move(received)),
      owner_(owner) {}

// ---- time ----

void V1Session::Start(int64_t now_ms) {
  state_ = State::kHello;
  round_began_ = now_ms;
  hellos_ = 0;
  questions_.clear();
  Tick(now_ms);
}

int64_t V1Session::NextWake() const {
  switch (state_) {
    case State::kIdle:
      return kNever;
    case State::kHello:
      return round_began_ + (hellos_ < std::size(kHellos) ? kHellos[hellos_] : kRoundMs);
    case State::kConnected:
      break;
  }
  int64_t wake = std::min(kept_alive_ms_ + settings_.notify_ms, heard_ms_ + settings_.reconnect_ms);
  if (unanswered_ > 0 || HasUnconfirmed()) wake = std::min(wake, asked_ms_ + kAnswerMs);
  return wake;
}

void V1Session::Tick(int64_t now_ms) {
  if (now_ms < NextWake()) return;
  if (state_ == State::kHello) {
    if (hellos_ < std::size(kHellos)) return SayHello(now_ms);
    state_ = State::kIdle;
    return owner_.RoundFailed();
  }
  if (state_ != State::kConnected) return;
  if (now_ms >= heard_ms_ + settings_.reconnect_ms) return Lose("no message for too long");
  const bool overdue = unanswered_ > 0 && now_ms >= asked_ms_ + kAnswerMs;
  if (overdue && unanswered_ >= kMostUnanswered) return Lose("keep-alives are not answered");
  if (overdue || now_ms >= kept_alive_ms_ + settings_.notify_ms) return SayKeepAlive(now_ms);
  // The cheapest question that every manager acknowledges.
  if (HasUnconfirmed()) Ask(now_ms, secure::kStartupMessage);
}

void V1Session::Lose(std::string_view reason) {
  state_ = State::kIdle;
  owner_.Lost(reason);
}

// ---- out ----

V1Session::Owner::Sent V1Session::SendMessage(std::string_view message) {
  const std::string_view id = key_.rule.NeedsId() ? std::string_view(key_.id) : std::string_view();
  const secure::Sealed sealed =
      secure::Seal(engine_, keys_, settings_.cipher, id, counter_.Next(), message);
  if (!sealed) {
    size_.Write(message.size());
    return Owner::Sent::kSent;  // it will never go: as if it had
  }
  return owner_.SendDatagram(sealed.datagram);
}

void V1Session::SayHello(int64_t now_ms) {
  // Times that were slept through are not made up for.
  while (hellos_ < std::size(kHellos) && round_began_ + kHellos[hellos_] <= now_ms) ++hellos_;
  SendMessage(secure::kStartupMessage);
}

void V1Session::Ask(int64_t now_ms, std::string_view message) {
  // What was not acknowledged by now will not be.
  std::erase_if(questions_, [now_ms](const Question& question) {
    return now_ms - question.asked_ms >= kAnswerMs;
  });
  questions_.push_back({now_ms, sent_through_});
  asked_ms_ = now_ms;
  ++unanswered_;
  SendMessage(message);
}

void V1Session::SayKeepAlive(int64_t now_ms) {
  if (state_ != State::kConnected) return;
  kept_alive_ms_ = now_ms;
  Ask(now_ms, owner_.KeepAlive());
}

V1Session::Outcome V1Session::SendEvent(int64_t now_ms, uint64_t number, std::string_view event) {
  if (event.size() > secure::kMaxMessage) {
    size_.Write(event.size());
    event = event.substr(0, secure::kMaxMessage);
  }
  switch (SendMessage(event)) {
    case Owner::Sent::kSent:
      break;
    case Owner::Sent::kBusy:
      return Outcome::kBusy;
    case Owner::Sent::kFailed:
      return Outcome::kFailed;
  }
  // The first of them begins the time after which the manager is asked.
  if (settings_.confirm_events && !HasUnconfirmed() && unanswered_ == 0) asked_ms_ = now_ms;
  sent_through_ = std::max(sent_through_, number);
  return Outcome::kSent;
}

// ---- in ----

bool V1Session::Receive(int64_t now_ms, std::string_view datagram) {
  if (state_ == State::kIdle) return true;
  const secure::PacketPrefix prefix = secure::ParsePrefix(datagram);
  if (prefix.state != secure::PacketPrefix::State::kOk || !prefix.id.empty()) {
    ReportFault(secure::OpenFault::kMalformed);
    return false;
  }
  const secure::Opened opened = secure::Open(engine_, keys_, prefix.cipher, prefix.sealed);
  if (!opened) {
    ReportFault(opened.fault);
    return false;
  }
  if (settings_.verify_counters &&
      received_->Check(opened.counter) != secure::ReplayWindow::Verdict::kNew) {
    old_counter_.Write(settings_.server);
    return false;
  }
  const ManagerMessage message = secure::ParseFromManager(opened.message);
  // Both directions have one key: our own packets, sent back, must not move the window.
  if (!secure::IsFromManager(message, owner_.FileOpen())) {
    unknown_.Write(settings_.server);
    return false;
  }
  if (settings_.verify_counters) {
    received_->Accept(opened.counter);
  } else {
    received_->AcceptAny(opened.counter);
  }
  heard_ms_ = now_ms;
  if (message.kind == ManagerMessage::Kind::kAcknowledgement) {
    TakeAcknowledgement(now_ms);
  } else if (state_ == State::kConnected) {
    owner_.FromManager(message);
  }
  return true;
}

void V1Session::TakeAcknowledgement(int64_t now_ms) {
  if (state_ == State::kHello) {
    state_ = State::kConnected;
    unanswered_ = 0;
    asked_ms_ = kept_alive_ms_ = now_ms;
    sent_through_ = confirmed_ = 0;
    return owner_.Answered();
  }
  unanswered_ = 0;
  if (questions_.empty()) return;
  confirmed_ = std::max(confirmed_, questions_.front().sent_through);
  questions_.pop_front();
}

void V1Session::Refused(int64_t /*now_ms*/) {
  // While saying hello that is no news: the host is there and the manager is not.
  if (state_ == State::kConnected) Lose("its host says that nobody listens");
}

void V1Session::ReportFault(secure::OpenFault fault) {
  switch (fault) {
    case secure::OpenFault::kWrongKey:
      wrong_key_.Write(settings_.server);
      break;
    case secure::OpenFault::kChecksum:
      checksum_.Write(settings_.server);
      break;
    case secure::OpenFault::kInflate:
      inflate_.Write(settings_.server);
      break;
    default:
      malformed_.Write(settings_.server);
      break;
  }
  problem_.Write(settings_.server);
}

}  // namespace ospatrol::agentd
