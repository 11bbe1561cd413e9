#include "logcollector/outlet.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ospatrol::logcollector {
namespace {

constexpr int kDatagramWait =
    20;  // milliseconds; longer would keep signals and other files waiting
constexpr std::chrono::seconds kLockCheck{1};
constexpr std::chrono::minutes kLostAgain{1};

bool Exists(const std::filesystem::path& path) { return ::access(path.c_str(), F_OK) == 0; }

// The lock names its owner; one whose owner is dead was left behind. The reference writes no
// number: then it counts.
bool LockHolds(const std::filesystem::path& path) {
  try {
    const auto content = base::ReadFileIfPresent(path, 64);
    if (!content) return false;
    const auto pid = base::ParseNumber<pid_t>(base::Trim(*content));
    return !pid || *pid <= 0 || ::kill(*pid, 0) == 0 || errno != ESRCH;
  } catch (const Error&) {
    return Exists(path);
  }
}

}  // namespace

Outlet::Outlet(Sockets sockets)
    : sockets_(std::move(sockets)),
      stream_(std::make_unique<ipc::StreamSender>(sockets_.stream)),
      datagram_(sockets_.queue) {}

int Outlet::fd() const {
  if (mode_ == Mode::kStream) return stream_->fd();
  return mode_ == Mode::kDatagram ? datagram_.fd() : -1;
}

bool Outlet::Connect(Clock::time_point now) {
  if (mode_ == Mode::kStream) return false;
  const bool queue_alone = !Exists(sockets_.stream) && Exists(sockets_.queue);
  if (!queue_alone) {
    queue_alone_since_.reset();
    return ConnectStream();
  }
  if (mode_ == Mode::kDatagram) return false;
  if (!queue_alone_since_) queue_alone_since_ = now;
  return now - *queue_alone_since_ >= kStreamGrace && ConnectDatagram();
}

bool Outlet::ConnectStream() {
  if (!stream_->Connect()) {
    if (mode_ == Mode::kNone) Lost(base::ErrnoText(errno));
    return false;
  }
  datagram_.Disconnect();
  mode_ = Mode::kStream;
  lost_logged_.reset();
  log::Write<msg::kReceiverConnected>(sockets_.stream.native());
  return true;
}

bool Outlet::ConnectDatagram() {
  if (!datagram_.Connect()) {
    Lost(base::ErrnoText(errno));
    return false;
  }
  mode_ = Mode::kDatagram;
  lost_logged_.reset();
  log::Write<msg::kWithoutAnswers>(sockets_.stream.native(), sockets_.queue.native());
  RewindAll();
  return true;
}

// At once, then once a minute for as long as it lasts.
void Outlet::Lost(const std::string& reason) {
  const auto now = Clock::now();
  if (lost_logged_ && now - *lost_logged_ < kLostAgain) return;
  lost_logged_ = now;
  log::Write<msg::kReceiverGone>(sockets_.stream.native(), sockets_.queue.native(), reason);
}

bool Outlet::Offer(const std::shared_ptr<Producer>& from, const ipc::SenderId& sender,
                   const Position& after, std::string_view message) {
  if (mode_ == Mode::kDatagram) return SendDatagram({from, after}, message);
  if (!builder_.Add(sender, after.number, message)) {
    if (!Submit() || !builder_.Add(sender, after.number, message)) return false;
  }
  ++events_.sent;
  if (notes_.empty() || notes_.back().from != from) {
    notes_.push_back({from, after});
  } else {
    notes_.back().after = after;
  }
  return true;
}

bool Outlet::SendDatagram(const Note& note, std::string_view message) {
  if (IsLocked(Clock::now())) return false;
  switch (datagram_.Send(message, kDatagramWait)) {
    case ipc::DatagramSender::Status::kSent:
      ++events_.sent;
      ++events_.taken;
      note.from->Taken(note.after);
      return true;
    case ipc::DatagramSender::Status::kFull:
      return false;
    case ipc::DatagramSender::Status::kGone:
      break;
  }
  Lost(base::ErrnoText(errno));
  mode_ = Mode::kNone;
  return false;
}

bool Outlet::IsLocked(Clock::time_point now) {
  if (now - lock_checked_ < kLockCheck) return locked_;
  lock_checked_ = now;
  const bool locked = LockHolds(sockets_.wait_lock);
  if (locked && !locked_) log::Write<msg::kProcessLocked>();
  if (!locked && locked_) log::Write<msg::kProcessUnlocked>();
  locked_ = locked;
  return locked_;
}

bool Outlet::Submit() {
  if (builder_.empty()) return true;
  if (!stream_->CanAccept()) return false;
  const uint64_t token = next_token_++;
  const size_t events = builder_.events();
  stream_->Submit(builder_, token);
  in_flight_.push_back({token, events, std::exchange(notes_, {})});
  return true;
}

void Outlet::Flush() {
  if (mode_ == Mode::kStream) Submit();
}

bool Outlet::Pump() {
  if (mode_ != Mode::kStream) return mode_ == Mode::kDatagram;
  std::deque<uint64_t> taken;
  const bool alive = stream_->Pump(taken);
  for (const uint64_t token : taken) {
    while (!in_flight_.empty() && in_flight_.front().token <= token) {
      for (const Note& note : in_flight_.front().notes) note.from->Taken(note.after);
      events_.taken += in_flight_.front().events;
      in_flight_.pop_front();
    }
  }
  if (!alive) {
    mode_ = Mode::kNone;
    Lost("the receiver closed the connection");
  }
  return alive;
}

// Nobody will answer what is in flight: its producers begin again behind what was answered.
void Outlet::RewindAll() {
  std::set<std::shared_ptr<Producer>> producers;
  for (const InFlight& frame : in_flight_) {
    for (const Note& note : frame.notes) producers.insert(note.from);
  }
  for (const Note& note : notes_) producers.insert(note.from);
  events_.sent = events_.taken;
  in_flight_.clear();
  notes_.clear();
  builder_.Clear();
  stream_ = std::make_unique<ipc::StreamSender>(sockets_.stream);
  for (const auto& producer : producers) producer->Rewind();
}

}  // namespace ospatrol::logcollector
