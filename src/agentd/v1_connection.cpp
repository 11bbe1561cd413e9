#include "agentd/v1_connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/files.h"
#include "base/time.h"

namespace ospatrol::agentd {
namespace {

using secure::ManagerMessage;
using std::chrono::milliseconds;

// Events a second: after an outage, doubled every few seconds, up to what a manager surely takes.
constexpr double kSlowRate = 100, kFullRate = 3000;
constexpr double kBurst = 256;
constexpr int64_t kDoubleEveryMs = 5000;
constexpr milliseconds kDrainPause{100};
// So long a manager that is told of version 2 may take to offer it: nothing acknowledges what is
// sent before.
constexpr milliseconds kOfferWait{1000};
constexpr int64_t kTellFilesEveryMs = 60'000;

V1Session::Settings SettingsOf(const ChannelContext& context, const std::string& server,
                               secure::Cipher cipher) {
  const config::ClientSection& client = context.client;
  return {.server = server,
          .cipher = cipher,
          .notify_ms = int64_t{client.notify_time} * 1000,
          .reconnect_ms = int64_t{client.time_reconnect} * 1000,
          .confirm_events = client.repeat_unacknowledged,
          .verify_counters = context.verify_counters};
}

}  // namespace

V1Connection::V1Connection(ChannelContext& context, std::string server, UdpSocket socket,
                           secure::Cipher cipher, bool announce_v2, Events events)
    : Connection(context, server, std::move(socket), std::move(events)),
      session_(SettingsOf(context, server, cipher), context.key, context.keys, context.engine,
               context.counter, context.received.For(server), *this),
      announce_v2_(announce_v2) {}

void V1Connection::Start() {
  Watch();
  session_.Start(MonotonicMs());
  Arm();
}

void V1Connection::Arm() { WakeAt(session_.NextWake()); }

void V1Connection::OnWake() {
  session_.Tick(MonotonicMs());
  Arm();
}

// ---- the socket ----

bool V1Connection::Datagram(std::string_view bytes) {
  const bool authentic = session_.Receive(MonotonicMs(), bytes);
  if (authentic) Release();
  Arm();
  return authentic;
}

void V1Connection::OnRefused() {
  session_.Refused(MonotonicMs());
  Arm();
}

V1Session::Owner::Sent V1Connection::SendDatagram(std::string_view datagram) {
  switch (socket().Send(datagram)) {
    case UdpSocket::Sent::kSent:
      return Sent::kSent;
    case UdpSocket::Sent::kBusy:
      return Sent::kBusy;
    case UdpSocket::Sent::kRefused:
      refused_ = true;
      return Sent::kFailed;
    default:
      send_failed_.Write(server(), base::ErrnoText(errno));
      return Sent::kFailed;
  }
}

// ---- the session ----

std::string V1Connection::KeepAlive() {
  const std::string filler = secure::RandomFiller();
  return secure::FormatKeepAlive({.uname = context().description,
                                  .agent_conf_md5 = context().files.agent_conf_md5(),
                                  .merged_md5 = context().files.merged_md5(),
                                  .offers_v2 = announce_v2_,
                                  .filler = filler});
}

void V1Connection::Answered() {
  next_to_send_ = context().spool.first();
  const uint64_t waiting = context().spool.next() - next_to_send_;
  const int64_t now = MonotonicMs();
  rate_ = waiting > kBurst ? kSlowRate : kFullRate;
  tokens_ = 0;
  refilled_ms_ = paced_since_ms_ = now;
  session_.SayKeepAlive(now);
  drain_timer_ = context().loop.After(announce_v2_ ? kOfferWait : kDrainPause, [this] { Drain(); });
  TellAnswered();
}

bool V1Connection::FileOpen() const { return context().orders.file_open(); }

void V1Connection::FromManager(const ManagerMessage& message) {
  ManagerOrders& orders = context().orders;
  switch (message.kind) {
    case ManagerMessage::Kind::kExecd:
      orders.Execute(message.text);
      break;
    case ManagerMessage::Kind::kSyscheckRestart:
      orders.RequestScan();
      break;
    case ManagerMessage::Kind::kUpFile:
      orders.FileBegins(message.name, message.md5);
      break;
    case ManagerMessage::Kind::kFileContent:
      orders.FileContent(message.text);
      break;
    case ManagerMessage::Kind::kCloseFile:
      orders.FileEnds(server());
      break;
    case ManagerMessage::Kind::kOfferV2:
      if (announce_v2_) TellOfferedV2();
      break;
    default:
      break;
  }
}

// What the manager is told of the files may wait for the next keep-alive; soon is nicer. Not at
// once each time: a manager that sends files again and again would be told so again and again.
void V1Connection::FilesChanged() {
  const int64_t now = MonotonicMs();
  if (files_told_ms_ != 0 && now - files_told_ms_ < kTellFilesEveryMs) return;
  files_told_ms_ = now;
  session_.SayKeepAlive(now);
  Arm();
}

// ---- events ----

void V1Connection::EventsAdded(bool /*urgent*/) {
  if (!drain_timer_) Drain();
}

void V1Connection::Hold(bool on) {
  held_ = on;
  if (!on) Drain();
}

void V1Connection::Refill(int64_t now_ms) {
  if (rate_ < kFullRate && now_ms - paced_since_ms_ >= kDoubleEveryMs) {
    rate_ = std::min(2 * rate_, kFullRate);
    paced_since_ms_ = now_ms;
  }
  const double burst = rate_ < kFullRate ? rate_ * 0.1 : kBurst;
  const double fresh = rate_ * static_cast<double>(now_ms - refilled_ms_) / 1000;
  tokens_ = std::min(tokens_ + fresh, burst);
  refilled_ms_ = now_ms;
}

void V1Connection::Drain() {
  drain_timer_.reset();
  if (held_ || session_.state() != V1Session::State::kConnected) return;
  const int64_t now = MonotonicMs();
  Refill(now);
  bool more = true;
  while (more && tokens_ >= 1) {
    const auto event = context().spool.Read(next_to_send_);
    if (!event) {
      more = false;
      break;
    }
    const uint64_t number = event->number;
    const V1Session::Outcome outcome = session_.SendEvent(now, number, event->message);
    if (outcome == V1Session::Outcome::kBusy) break;
    if (outcome == V1Session::Outcome::kFailed) {
      if (std::exchange(refused_, false)) session_.Refused(now);
      break;
    }
    next_to_send_ = number + 1;
    tokens_ -= 1;
  }
  Release();
  Arm();
  if (!more) {
    rate_ = kFullRate;  // what piled up is out
    context().spool.TrimMemory();
  } else if (session_.state() == V1Session::State::kConnected) {
    drain_timer_ = context().loop.After(kDrainPause, [this] { Drain(); });
  }
}

// Lets the spool forget what need not be sent again.
void V1Connection::Release() {
  if (next_to_send_ == 0) return;
  Spool& spool = context().spool;
  const bool repeat = context().client.repeat_unacknowledged;
  spool.Acknowledge(repeat ? session_.confirmed() : next_to_send_ - 1);
  spool.SaveAcknowledged(base::WallNowMilliseconds());
}

void V1Connection::Finish(int64_t limit_ms) {
  const int64_t end = MonotonicMs() + limit_ms;
  bool asked = false;
  while (session_.state() == V1Session::State::kConnected && !held_) {
    Drain();
    const bool sent = next_to_send_ >= context().spool.next();
    const bool confirmed = !context().client.repeat_unacknowledged || context().spool.IsEmpty();
    const int64_t left = end - MonotonicMs();
    if ((sent && confirmed) || left <= 0) return;
    if (sent && !std::exchange(asked, true)) session_.SayKeepAlive(MonotonicMs());
    pollfd polled{socket().fd(), POLLIN, 0};
    ::poll(&polled, 1, static_cast<int>(std::min<int64_t>(left, kDrainPause.count())));
    ReadSocket();
  }
}

}  // namespace ospatrol::agentd
