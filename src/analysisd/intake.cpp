#include "analysisd/intake.h"

#include <cerrno>
#include <chrono>

#include "base/error.h"
#include "base/files.h"
#include "base/time.h"

namespace ospatrol::analysisd {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr size_t kMaxConnections = 512;
constexpr size_t kShown = 80;  // bytes of a malformed message in the log
constexpr std::chrono::milliseconds kAcceptPause{1000};
constexpr int kFramesPerTurn = 4;
constexpr int kDatagramsPerTurn = 256;

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
  if (peers_.size() >= kMaxConnections) {
    refused_error_.Write(stream_path_, fmt::format("{} are open", peers_.size()));
    return;
  }
  peers_.emplace_back(std::move(fd));
  try {
    Watch(std::prev(peers_.end()));
  } catch (const Error& error) {
    peers_.pop_back();
    refused_error_.Write(stream_path_, error.what());
  }
}

void Intake::OnStreamReadable(Peers::iterator peer) {
  if (!hooks_.before_portion()) return;
  int taken = 0;
  if (!ReadFrames(*peer, kFramesPerTurn, taken)) peers_.erase(peer);
  hooks_.after_portion();
}

void Intake::OnQueueReadable() {
  if (!hooks_.before_portion()) return;
  int taken = 0;
  ReadDatagrams(kDatagramsPerTurn, taken);
  hooks_.after_portion();
}

bool Intake::ReadFrames(Peer& peer, int limit, int& taken) {
  while (taken < limit) {
    switch (peer.stream.Receive(buffer_, frame_, reason_)) {
      case ipc::StreamPeer::Status::kFrame:
        TakeFrame(frame_);
        peer.taken = frame_.number;
        ++taken;
        continue;
      case ipc::StreamPeer::Status::kEmpty:
        return true;
      case ipc::StreamPeer::Status::kClosed:
        return false;
      case ipc::StreamPeer::Status::kBad:
        ++counters_.bad_frames;
        frame_error_.Write(stream_path_, reason_);
        return false;
    }
  }
  return true;
}

void Intake::TakeFrame(const ipc::Frame& frame) {
  ++counters_.frames;
  const base::Seconds now = base::WallNow();
  for (const ipc::Group& group : frame.groups) {
    const uint64_t last = senders_.LastNumber(group.sender);
    uint64_t number = group.first;
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

void Intake::ReadDatagrams(int limit, int& taken) {
  for (; taken < limit; ++taken) {
    switch (queue_->Receive(buffer_)) {
      case ipc::DatagramReceiver::Status::kTruncated:
        ++counters_.cut;
        cut_warning_.Write(queue_path_, ipc::kMaxMessage);
        [[fallthrough]];
      case ipc::DatagramReceiver::Status::kMessage:
        Take(buffer_, queue_path_);
        continue;
      case ipc::DatagramReceiver::Status::kEmpty:
        return;
      case ipc::DatagramReceiver::Status::kError:
        read_error_.Write(queue_path_, base::ErrnoText(errno));
        return;
    }
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
    int taken = 0;
    if (queue_) ReadDatagrams(kDatagramsPerTurn, taken);
    for (auto peer = peers_.begin(); peer != peers_.end();) {
      const auto here = peer++;
      int frames = 0;
      if (!ReadFrames(*here, kFramesPerTurn, frames)) peers_.erase(here);
      taken += frames;
    }
    found = taken > 0;
  }
}

}  // namespace ospatrol::analysisd
