#include "analysisd/intake.h"

#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/time.h"

namespace ospatrol::analysisd {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr size_t kMaxConnections = 512;
constexpr size_t kShown = 80;  // bytes of a malformed message in the log
constexpr std::chrono::milliseconds kAcceptPause{1000};
constexpr std::chrono::milliseconds kIdle{1000};  // a connection without a frame for so long
constexpr size_t kDatagramsPerTurn = 1024;
// A sender that has just filled the queue goes on as soon as it is awake. Going to sleep meanwhile
// would cost both ends a wake-up for each few datagrams, which is dearer than the datagrams.
constexpr size_t kBurst = 8;
constexpr std::chrono::microseconds kBurstPause{50};
// Bytes of frames in a portion. All of it is written at once, so it is what a kill can make come
// again.
constexpr size_t kPortionBytes = size_t{128} * 1024;

uid_t UserOf(int connection) {
  ucred sender{};
  socklen_t size = sizeof(sender);
  constexpr uid_t kUnknown = static_cast<uid_t>(-1);
  const int result = ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &sender, &size);
  return result == 0 ? sender.uid : kUnknown;
}

}  // namespace

Intake::Intake(daemon::EventLoop& loop, StateStore& senders, Hooks hooks)
    : loop_(loop), senders_(senders), hooks_(std::move(hooks)) {}

Intake::~Intake() = default;

void Intake::Bind(const Home& home) {
  stream_path_ = (home / paths::kEventStream).native();
  queue_path_ = (home / paths::kEventQueue).native();
  listener_.emplace(stream_path_, kSocketMode);
  queue_.emplace(queue_path_, kSocketMode);
  Resume();
}

void Intake::Pause() {
  paused_ = true;
  listener_readable_.reset();
  accept_again_.reset();
  queue_readable_.reset();
  for (Peer& peer : peers_) peer.readable.reset();
}

void Intake::Resume() {
  if (listener_) WatchListener();
  if (queue_) queue_readable_ = loop_.WatchReadable(queue_->fd(), [this] { OnQueueReadable(); });
  for (auto peer = peers_.begin(); peer != peers_.end(); ++peer) Watch(peer);
  paused_ = false;  // last: when a watch throws, all of it is tried again
}

void Intake::WatchListener() {
  listener_readable_ = loop_.WatchReadable(listener_->fd(), [this] { Accept(); });
}

void Intake::Watch(Peers::iterator peer) {
  peer->readable = loop_.WatchReadable(peer->stream.fd(), [this, peer] { OnStreamReadable(peer); });
}

void Intake::Accept() {
  base::Fd fd = listener_->Accept();
  if (!fd) {
    if (errno == EAGAIN) return;
    refused_error_.Write(stream_path_, base::ErrnoText(errno));
    // Out of descriptors, most likely: the connection stays in the backlog and would wake us for
    // ever.
    listener_readable_.reset();
    accept_again_ = loop_.After(kAcceptPause, [this] { WatchListener(); });
    return;
  }
  if (peers_.size() >= kMaxConnections && !CloseIdlePeer()) {
    refused_error_.Write(stream_path_, fmt::format("{} are open", peers_.size()));
    return;
  }
  const uid_t uid = UserOf(fd.get());
  Peer& fresh = peers_.emplace_back(std::move(fd));
  fresh.uid = uid;
  fresh.used = base::MonotonicNow();
  try {
    Watch(std::prev(peers_.end()));
  } catch (const Error& error) {
    peers_.pop_back();
    refused_error_.Write(stream_path_, error.what());
  }
}

bool Intake::CloseIdlePeer() {
  const auto now = base::MonotonicNow();
  std::map<uid_t, size_t> held;
  for (const Peer& peer : peers_) ++held[peer.uid];
  auto victim = peers_.end();
  for (auto peer = peers_.begin(); peer != peers_.end(); ++peer) {
    // One that waits for an answer, or has just come, is no idle one.
    if (peer->taken != peer->answered || now - peer->used < kIdle) continue;
    const bool better = victim == peers_.end() || held[peer->uid] > held[victim->uid] ||
                        (held[peer->uid] == held[victim->uid] && peer->used < victim->used);
    if (better) victim = peer;
  }
  if (victim == peers_.end()) return false;
  idle_warning_.Write(stream_path_, peers_.size(), victim->uid);
  peers_.erase(victim);
  return true;
}

void Intake::OnStreamReadable(Peers::iterator peer) {
  bool open = true;
  TakeFrames(*peer, open);
  if (!open) peers_.erase(peer);
}

void Intake::OnQueueReadable() {
  size_t burst = 0;
  auto last = std::chrono::steady_clock::now();
  for (size_t taken = 0; taken < kDatagramsPerTurn;) {
    const size_t portion = TakeDatagrams();
    const auto now = std::chrono::steady_clock::now();
    if (portion > 0) {
      burst = portion;
      taken += portion;
      last = now;
    } else {
      if (paused_ || burst < kBurst || now - last > kBurstPause) return;
      ::sched_yield();  // the sender may wait for this processor
    }
  }
}

size_t Intake::TakeFrames(Peer& peer, bool& open) {
  if (!hooks_.before_portion()) return 0;
  size_t taken = 0;
  size_t bytes = 0;
  bool more = true;
  while (more && taken < packets_.size() && bytes < kPortionBytes) {
    Packet& packet = packets_[taken];
    more = false;
    switch (peer.stream.Receive(packet.bytes, packet.frame, reason_)) {
      case ipc::StreamPeer::Status::kFrame:
        TakeFrame(packet.frame);
        bytes += packet.bytes.size();
        peer.taken = packet.frame.number;
        peer.used = base::MonotonicNow();
        ++taken;
        more = true;
        break;
      case ipc::StreamPeer::Status::kEmpty:
        break;
      case ipc::StreamPeer::Status::kBad:
        ++counters_.bad_frames;
        frame_error_.Write(stream_path_, reason_);
        [[fallthrough]];
      case ipc::StreamPeer::Status::kClosed:
        open = false;
        break;
    }
  }
  if (taken > 0) hooks_.after_portion();
  return taken;
}

size_t Intake::TakeDatagrams() {
  if (!hooks_.before_portion()) return 0;
  const auto datagrams = queue_->Receive();
  if (datagrams.empty()) {
    if (errno != EAGAIN) read_error_.Write(queue_path_, base::ErrnoText(errno));
    return 0;
  }
  for (const ipc::DatagramReceiver::Datagram& datagram : datagrams) {
    if (datagram.cut) {
      ++counters_.cut;
      cut_warning_.Write(queue_path_, ipc::kMaxMessage);
    }
    Take(datagram.bytes, queue_path_);
  }
  hooks_.after_portion();
  return datagrams.size();
}

void Intake::TakeFrame(const ipc::Frame& frame) {
  ++counters_.frames;
  const base::Seconds now = base::WallNow();
  for (const ipc::Group& group : frame.groups) {
    const uint64_t last = senders_.LastNumber(group.sender);
    uint64_t number = group.first;
    counters_.stream_events += group.events.size();
    for (const std::string_view event : group.events) {
      if (number > last) {
        Take(event, stream_path_);
      } else {
        ++counters_.repeated;
      }
      ++number;
    }
    senders_.SetLastNumber(group.sender, std::max(last, number - 1), now);
  }
}

void Intake::Take(std::string_view bytes, std::string_view source) {
  ++counters_.received;
  ipc::MessageFault fault{};
  const auto message = ipc::ParseQueueMessage(bytes, &fault);
  if (message) {
    hooks_.event(*message);
    return;
  }
  ++counters_.malformed;
  if (fault == ipc::MessageFault::kTooShort) {
    short_error_.Write(bytes.size(), source);
  } else {
    format_error_.Write(source, bytes.substr(0, kShown));
  }
}

void Intake::AnswerTaken() {
  for (Peer& peer : peers_) {
    if (peer.taken == peer.answered) continue;
    peer.answered = peer.taken;
    // Not erased here: its reader may be at work. It reads the end, and that erases it.
    if (!peer.stream.Answer(peer.taken)) peer.stream.HangUp();
  }
}

void Intake::Drain(std::chrono::milliseconds limit) {
  listener_readable_.reset();
  accept_again_.reset();
  const auto end = std::chrono::steady_clock::now() + limit;
  bool found = true;
  // Senders wait for answers, which come after this: only the datagram queue could go on for ever.
  while (found && std::chrono::steady_clock::now() < end) {
    size_t taken = queue_ ? TakeDatagrams() : 0;
    for (auto peer = peers_.begin(); peer != peers_.end();) {
      const auto here = peer++;
      bool open = true;
      taken += TakeFrames(*here, open);
      if (!open) peers_.erase(here);
    }
    found = taken > 0;
  }
}

}  // namespace ospatrol::analysisd
