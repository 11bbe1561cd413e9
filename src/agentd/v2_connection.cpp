#include "agentd/v2_connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "base/text.h"
#include "base/time.h"
#include "log/log.h"
#include "product/product.h"
#include "secure/merged_file.h"

namespace ospatrol::agentd {
namespace {

namespace v2 = secure::v2;

constexpr std::string_view kExecd = "execd ";
constexpr std::string_view kScan = "syscheck restart";
constexpr mode_t kControlsMode = 0640;
constexpr int kDatagramsPerTurn = 64;
constexpr int64_t kFinishStepMs = 50;
constexpr int64_t kShortestSleepMs = 2;  // whatever the link says

v2::Now TimeNow() { return {MonotonicMs(), base::WallNowMilliseconds()}; }

std::string_view NameOf(v2::Cipher cipher) {
  return cipher == v2::Cipher::kAes256Gcm ? "AES-256-GCM" : "ChaCha20-Poly1305";
}

}  // namespace

// ---- the spool as the link sees it ----

std::optional<std::string_view> SpoolSource::Event(uint64_t number) {
  if (number >= gap_first_ && number < gap_next_) return std::nullopt;
  const auto event = spool_.Read(number);
  if (event && event->number == number) return event->message.substr(0, v2::kMaxEvent);
  gap_first_ = number;
  gap_next_ = event ? event->number : spool_.next();
  return std::nullopt;
}

void SpoolSource::Acknowledged(uint64_t number) {
  if (contradicted_) return;
  if (confirmed_) return spool_.Acknowledge(number);
  contradicted_ = !spool_.Reconcile(number, base::WallNowMilliseconds());
}

void SpoolSource::SetBack() {
  spool_.Renew(base::WallNowMilliseconds());
  confirmed_ = true;
}

bool SpoolSource::Confirm() {
  if (contradicted_) return false;
  spool_.Confirm(base::WallNowMilliseconds());
  confirmed_ = true;
  return true;
}

EmptySource::EmptySource() {
  const std::string random = base::RandomBytes(id_.size());
  std::memcpy(id_.data(), random.data(), id_.size());
}

// ---- the connection ----

V2Connection::V2Connection(ChannelContext& context, std::string server, UdpSocket socket, Use use,
                           Events events)
    : Connection(context, std::move(server), std::move(socket), std::move(events)), use_(use) {
  controls_ = LoadControls();
  MakeLink();
}

V2Connection::~V2Connection() = default;

void V2Connection::MakeLink() {
  if (use_ == Use::kProbe) {
    source_ = std::make_unique<EmptySource>();
  } else {
    auto source = std::make_unique<SpoolSource>(context().spool);
    spool_source_ = source.get();
    source_ = std::move(source);
  }
  v2::AgentLink::Config config;
  config.agent_id = context().key.id;
  config.name = context().key.name;
  config.key = context().key.key;
  config.product = fmt::format("{} v{}", product::kName, product::kVersion);
  config.keep_alive_s =
      static_cast<uint16_t>(std::min<int>(context().client.notify_time, UINT16_MAX));
  config.controls_done = controls_;
  v2::AgentPeer& peer = *this;
  link_ = std::make_unique<v2::AgentLink>(std::move(config), *source_, peer, random_);
}

void V2Connection::Start() {
  socket().AllowFragments(false);
  Watch();
  link_->Start(TimeNow());
  Pump();
}

bool V2Connection::Datagram(std::string_view bytes) {
  inside_ = true;
  const v2::Verdict verdict = link_->Receive(TimeNow(), v2::AsBytes(bytes));
  inside_ = false;
  PumpSoon();
  switch (verdict) {
    case v2::Verdict::kTaken:
    case v2::Verdict::kRefused:
    case v2::Verdict::kDuplicate:
    case v2::Verdict::kOld:
      return true;
    default:
      problem_.Write(server());
      return false;
  }
}

void V2Connection::EventsAdded(bool urgent) {
  if (inside_ || use_ == Use::kProbe) return;  // Pump sees them
  inside_ = true;
  link_->EventsAdded(TimeNow(), urgent);
  inside_ = false;
  PumpSoon();
}

void V2Connection::FilesChanged() {
  if (inside_) {
    context().loop.Post([this, weak = std::weak_ptr<bool>(alive_)] {
      if (!weak.expired()) FilesChanged();
    });
    return;
  }
  link_->StatusChanged();
  PumpSoon();
}

void V2Connection::PumpSoon() {
  if (std::exchange(pump_posted_, true)) return;
  context().loop.Post([this, weak = std::weak_ptr<bool>(alive_)] {
    if (weak.expired()) return;
    pump_posted_ = false;
    Pump();
  });
}

void V2Connection::Pump() {
  writable_.reset();
  if (std::exchange(begin_again_, false)) {
    MakeLink();
    link_->Start(TimeNow());
  }
  switch (SendSome()) {
    case Sending::kMore:
      return PumpSoon();
    case Sending::kBusy:
      writable_ = context().loop.WatchWritable(socket().fd(), [this] { PumpSoon(); });
      return;
    case Sending::kDone:
      break;
  }
  const v2::Now now = TimeNow();
  WakeAt(std::max(link_->NextWake(now), now.monotonic_ms + kShortestSleepMs));
  if (context().spool.IsEmpty()) context().spool.TrimMemory();
}

V2Connection::Sending V2Connection::SendSome() {
  std::array<uint8_t, v2::kMaxDatagram> out;
  for (int sent = 0; sent < kDatagramsPerTurn; ++sent) {
    inside_ = true;
    const size_t size = link_->NextDatagram(TimeNow(), out);
    inside_ = false;
    if (size == 0) return Sending::kDone;
    // What is not sent is lost for the link, as on the way: it is sent again in time.
    if (socket().Send(v2::AsText({out.data(), size})) == UdpSocket::Sent::kBusy) {
      return Sending::kBusy;
    }
  }
  return Sending::kMore;
}

void V2Connection::Finish(int64_t limit_ms) {
  const int64_t end = MonotonicMs() + limit_ms;
  if (use_ == Use::kEvents) link_->EventsAdded(TimeNow(), true);
  while (link_->established() && !context().spool.IsEmpty()) {
    SendSome();
    const int64_t left = end - MonotonicMs();
    if (left <= 0) break;
    pollfd polled{socket().fd(), POLLIN, 0};
    ::poll(&polled, 1, static_cast<int>(std::min(left, kFinishStepMs)));
    ReadSocket();
  }
  link_->Close(v2::CloseReason::kStop, "the agent stops");
  SendSome();
}

// ---- what the link asks and tells ----

// A full disk must not keep the spool, which may be what fills it, from becoming empty: then the
// counter goes unstored. After a restart with an older clock it may be too low; STALE heals that.
std::optional<uint64_t> V2Connection::NextHelloCounter(uint64_t at_least) {
  uint64_t& last = context().hello_counter;
  at_least = std::max(at_least, last + 1);
  const auto stored = context().state.NextHelloCounter(static_cast<int64_t>(at_least));
  if (!stored) state_failed_.Write();
  last = stored.value_or(at_least);
  return last;
}

void V2Connection::Established(const Session& session) {
  if (spool_source_ != nullptr && !spool_source_->Confirm()) {
    begin_again_ = true;
    return PumpSoon();
  }
  facts_.stay = session.stay;
  facts_.manager_id.assign(v2::AsText(session.manager));
  if (session.renewed) return;
  if (use_ == Use::kEvents) {
    log::Write<msg::kSessionEstablished>(server().substr(0, server().rfind(':')),
                                         context().client.port, NameOf(session.cipher));
  }
  TellAnswered();
}

void V2Connection::Unreachable() {
  if (answered()) {
    TellLost("it does not answer");
  } else {
    TellRoundFailed();
  }
}

void V2Connection::ClosedByManager(uint16_t reason, std::string_view text) {
  log::Write<msg::kSessionClosed>(
      server(), text.empty() ? fmt::format("reason {}", reason) : base::EscapeControls(text));
  if (reason != static_cast<uint16_t>(v2::CloseReason::kRestart)) TellClosed();
}

v2::AgentPeer::Answer V2Connection::Control(std::string_view text) {
  std::string reason;
  if (text.starts_with(kExecd)) {
    reason = context().orders.Execute(text.substr(kExecd.size()));
  } else if (text == kScan) {
    reason = context().orders.RequestScan();
  } else {
    return {v2::ControlResult::kRefused, "unknown to this agent"};
  }
  if (reason.empty()) return {};
  return {v2::ControlResult::kFailed, reason};
}

void V2Connection::ControlDone(uint64_t number) {
  controls_.push_back(number);
  if (controls_.size() > v2::AgentLink::kRememberedControls) controls_.erase(controls_.begin());
  SaveControls();
}

std::vector<uint64_t> V2Connection::LoadControls() const {
  std::vector<uint64_t> numbers;
  try {
    const std::string text = base::ReadFileIfPresent(context().controls).value_or("");
    for (const std::string_view line : base::Split(text, '\n')) {
      if (const auto number = base::ParseNumber<uint64_t>(line)) numbers.push_back(*number);
    }
  } catch (const Error&) {
    // As if there were none: responses older than a minute are not carried out anyway.
  }
  return numbers;
}

void V2Connection::SaveControls() const {
  std::string text;
  for (const uint64_t number : controls_) text += fmt::format("{}\n", number);
  try {
    base::WriteFileAtomically(context().controls, text, kControlsMode);
  } catch (const Error& error) {
    log::Write<msg::kSharedNotWritten>(context().controls.native(), error.what());
  }
}

bool V2Connection::FileBegins(std::string_view name, uint64_t size) {
  if (size > secure::kMaxMergedFile) return false;
  context().orders.FileBegins(name, {});
  return true;
}

bool V2Connection::FileBytes(std::string_view /*name*/, v2::Bytes bytes) {
  return context().orders.FileContent(v2::AsText(bytes));
}

v2::AgentPeer::FileVerdict V2Connection::FileComplete(std::string_view /*name*/) {
  std::string reason = context().orders.FileEnds(server());
  return {reason.empty(), std::move(reason)};
}

void V2Connection::FileAborted(std::string_view /*name*/) { context().orders.FileAborted(); }

v2::StatusFrame V2Connection::Status() {
  v2::StatusFrame status;
  status.merged_sum = context().files.merged_sha256();
  status.config_sum = context().files.agent_conf_in_use();
  status.spool_bytes = context().spool.IsEmpty() ? 0 : context().spool.bytes();
  status.dropped = context().dropped();
  status.uname = context().description;
  return status;
}

}  // namespace ospatrol::agentd
