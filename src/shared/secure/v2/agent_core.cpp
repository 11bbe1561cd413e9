#include "secure/v2/agent_core.h"

#include <algorithm>

namespace ospatrol::secure::v2 {

namespace {

constexpr int64_t kClosedPauseMs = 2000;

AgentLink::Config WithDefaults(AgentLink::Config config) {
  if (config.ciphers == 0) {
    config.ciphers = HasAesHardware() ? kOffersAes | kOffersChaCha : kOffersChaCha;
  }
  config.max_datagram = std::clamp(config.max_datagram, static_cast<uint16_t>(kSafeDatagram),
                                   static_cast<uint16_t>(kMaxDatagram));
  return config;
}

// Frames that ask for an acknowledgement.
bool Asks(uint8_t type) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::kPad:
    case FrameType::kAck:
    case FrameType::kPong:
    case FrameType::kClose:
      return false;
    default:
      return true;
  }
}

}  // namespace

AgentLink::Core::Core(Config config, EventSource& source, AgentPeer& peer, RandomSource& random)
    : config_(WithDefaults(std::move(config))),
      psk_(DerivePsk(config_.agent_id, config_.name, config_.key)),
      source_(source),
      peer_(peer),
      random_(random),
      events_(source),
      files_(peer) {
  // Only what is derived from it is needed.
  Wipe({reinterpret_cast<uint8_t*>(config_.key.data()), config_.key.size()});
  for (const uint64_t number : config_.controls_done) {
    controls_done_.push_back({number, ControlResult::kDone, ""});
  }
}

Verdict AgentLink::Core::Receive(Now now, Bytes datagram) {
  if (!IsVersion2(datagram)) return Verdict::kMalformed;
  const auto header = ParseHeader(datagram);
  if (!header) return Verdict::kMalformed;
  switch (header->type) {
    case PacketType::kData:
      return TakeData(now, datagram);
    case PacketType::kWelcome:
      return TakeWelcome(now, datagram);
    case PacketType::kCookie:
      return TakeCookie(now, datagram);
    case PacketType::kStale:
      return TakeStale(now, datagram);
    case PacketType::kReset:
      return TakeReset(now, datagram);
    case PacketType::kVersion:
      return Verdict::kOtherVersion;
    case PacketType::kHello:
      break;
  }
  return Verdict::kNotExpected;
}

void AgentLink::Core::Heard(Now now) {
  heard_ms_ = now.monotonic_ms;
  asked_ms_ = sender_.in_flight() > 0 ? now.monotonic_ms : kNever;
  if (!silent_) return;
  // It is there after all, with the same session.
  silent_ = false;
  SayHelloAt(kNever);
}

Verdict AgentLink::Core::TakeData(Now now, Bytes datagram) {
  const auto header = ParseHeader(datagram);
  Session* session = nullptr;
  if (session_ && session_->local() == header->connection) session = &*session_;
  if (old_ && old_->session.local() == header->connection) session = &old_->session;
  if (session == nullptr) return Verdict::kUnknownSession;
  const bool current = session_ && session == &*session_;
  const Session::Opened opened = session->Open(aead_, datagram, plain_);
  switch (opened.fault) {
    case Session::Fault::kNone:
      break;
    case Session::Fault::kDuplicate:
      return Verdict::kDuplicate;
    case Session::Fault::kOld:
      return Verdict::kOld;
    case Session::Fault::kShort:
    case Session::Fault::kOtherConnection:
      return Verdict::kMalformed;
    case Session::Fault::kForged:
      return Verdict::kForged;
  }
  bool asks = false;
  const Verdict verdict = TakeFrames(now, opened.frames, current, asks);
  // A frame may have ended the session.
  if (verdict != Verdict::kTaken || (current && !session_)) return verdict;
  session->Accept(opened.number);
  if (current) {
    acknowledger_.Received(now.monotonic_ms, opened.newest, asks);
    Heard(now);
  }
  return verdict;
}

Verdict AgentLink::Core::TakeFrames(Now now, Bytes frames, bool current, bool& asks) {
  Verdict verdict = Verdict::kTaken;
  FrameReader reader(frames);
  while (const auto item = reader.Next()) {
    asks = asks || Asks(item->type);
    const Verdict one = TakeFrame(now, *item, current);
    if (one == Verdict::kMalformed) return one;
    if (one != Verdict::kTaken) verdict = one;
    if (!session_) return verdict;
  }
  return reader.malformed() ? Verdict::kMalformed : verdict;
}

Verdict AgentLink::Core::TakeFrame(Now now, const FrameReader::Item& item, bool current) {
  const auto answer = [](bool good) { return good ? Verdict::kTaken : Verdict::kMalformed; };
  switch (static_cast<FrameType>(item.type)) {
    case FrameType::kAck: {
      const auto ack = ParseAck(item.content);
      return answer(ack && TakeAck(now, *ack, current));
    }
    case FrameType::kControl: {
      const auto control = ParseControl(item.content);
      // `queued_ms` counts from the beginning of its own session; what an old one brings comes
      // again in the new one.
      if (control && current) TakeControl(now, *control);
      return answer(control.has_value());
    }
    case FrameType::kFile: {
      const auto file = ParseFile(item.content);
      if (!file) return Verdict::kMalformed;
      return !current || files_.Take(*file) ? Verdict::kTaken : Verdict::kRefused;
    }
    case FrameType::kPing: {
      const auto cookie = ParsePing(item.content);
      if (cookie && current) {
        pong_ = *cookie;
        has_pong_ = true;
        acknowledger_.Changed(now.monotonic_ms, 0);
      }
      return answer(cookie.has_value());
    }
    case FrameType::kClose: {
      const auto close = ParseClose(item.content);
      if (close && current) TakeClose(now, *close);
      return answer(close.has_value());
    }
    default:  // PAD, PONG, and what later versions may add
      return Verdict::kTaken;
  }
}

bool AgentLink::Core::TakeAck(Now now, const AckFrame& ack, bool current) {
  if (ack.stored > events_.sent() ||
      (current && ack.count > 0 && ack.largest >= session_->next_number())) {
    // Authentic, and yet it knows of packets or events that we did not send: this machine was set
    // back to an earlier state, keys included. They must not be used any more.
    EndSession();
    SayHelloAt(now.monotonic_ms);
    return true;
  }
  if (events_.Stored(ack.stored)) NoteProgress(now);
  if (!current) return true;
  if (ack.busy != manager_busy_) NoteProgress(now);
  manager_busy_ = ack.busy;
  fate_.Clear();
  const bool good =
      sender_.Acknowledged(ack, session_->next_number(), now.monotonic_ms, !ack.busy, fate_);
  Settle(now);
  return good;
}

void AgentLink::Core::NoteProgress(Now now) {
  progress_ms_ = now.monotonic_ms;
  pings_ = 0;
  ping_at_ms_ = now.monotonic_ms + PingInterval();
}

void AgentLink::Core::TakeControl(Now now, const ControlFrame& frame) {
  const auto known =
      std::find_if(controls_done_.begin(), controls_done_.end(),
                   [&frame](const struct ControlDone& c) { return c.number == frame.number; });
  if (known == controls_done_.end()) {
    struct ControlDone done {
      frame.number, ControlResult::kRefused, "older than 60 s"
    };
    if (now.monotonic_ms - manager_began_ms_ - kControlLifeMs <= frame.queued_ms) {
      AgentPeer::Answer answer = peer_.Control(frame.text);
      done.result = answer.result;
      done.text = answer.text.substr(0, ControlAckFrame::kMaxText);
    }
    peer_.ControlDone(frame.number);
    controls_done_.push_back(std::move(done));
    if (controls_done_.size() > kRememberedControls) controls_done_.pop_front();
  }
  const auto ack = std::find_if(control_acks_.begin(), control_acks_.end(),
                                [&frame](const ControlAck& a) { return a.number == frame.number; });
  if (ack == control_acks_.end()) {
    control_acks_.push_back({frame.number, true});
  } else {
    ack->waits = true;
  }
}

void AgentLink::Core::TakeClose(Now now, const CloseFrame& frame) {
  if (frame.reason == static_cast<uint16_t>(CloseReason::kRekey)) {
    if (hello_at_ms_ == kNever) SayHelloAt(now.monotonic_ms);
    return;
  }
  EndSession();
  SayHelloAt(now.monotonic_ms + Jitter(kClosedPauseMs));
  peer_.ClosedByManager(frame.reason, frame.text);
}

AgentLink::Info AgentLink::Core::info() const {
  Info info;
  if (closed_) {
    info.state = State::kClosed;
  } else if (session_ && !silent_) {
    info.state = State::kEstablished;
  } else if (hello_at_ms_ != kNever) {
    info.state = State::kHello;
  }
  if (session_) info.cipher = session_->cipher();
  info.manager = manager_;
  info.round_trip_ms = sender_.smoothed_ms();
  info.heard_ms = heard_ms_;
  info.acknowledged = events_.acknowledged();
  info.window = sender_.window();
  info.in_flight = sender_.in_flight();
  info.datagram = datagram_;
  info.packets_lost = sender_.packets_lost();
  info.manager_busy = manager_busy_;
  return info;
}

AgentLink::AgentLink(Config config, EventSource& source, AgentPeer& peer, RandomSource& random)
    : core_(std::make_unique<Core>(std::move(config), source, peer, random)) {}
AgentLink::~AgentLink() = default;

void AgentLink::Start(Now now) { core_->Start(now); }
Verdict AgentLink::Receive(Now now, Bytes datagram) { return core_->Receive(now, datagram); }
void AgentLink::EventsAdded(Now now, bool urgent) { core_->EventsAdded(now, urgent); }
void AgentLink::StatusChanged() { core_->StatusChanged(); }
void AgentLink::Close(CloseReason reason, std::string_view text) { core_->Close(reason, text); }
size_t AgentLink::NextDatagram(Now now, MutableBytes out) { return core_->NextDatagram(now, out); }
int64_t AgentLink::NextWake(Now now) const { return core_->NextWake(now); }
AgentLink::Info AgentLink::info() const { return core_->info(); }
bool AgentLink::established() const { return info().state == State::kEstablished; }

}  // namespace ospatrol::secure::v2
