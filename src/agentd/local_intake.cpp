#include "agentd/local_intake.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/time.h"
#include "ipc/queue_message.h"

namespace ospatrol::agentd {
namespace {

using std::chrono::milliseconds;

constexpr mode_t kSocketMode = 0660;
constexpr size_t kMaxConnections = 64;
constexpr size_t kShown = 80;  // bytes of a malformed event in the log
constexpr milliseconds kAcceptPause{1000};
// Answers wait so long for others to share the sync of the disk, unless senders may be running out
// of frames.
constexpr milliseconds kAnswerDelay{200};
constexpr size_t kAnswerAtOnce = 256 * 1024;  // bytes
constexpr size_t kFramesPerTurn = 8;
constexpr size_t kKeptBuffer = 16 * 1024;

bool IsUrgent(std::string_view event) { return event.front() == '8' || event.front() == '9'; }

}  // namespace

LocalIntake::LocalIntake(daemon::EventLoop& loop, Spool& spool, Hooks hooks)
    : loop_(loop), spool_(spool), hooks_(std::move(hooks)) {}

LocalIntake::~LocalIntake() = default;

void LocalIntake::Bind(const Home& home) {
  stream_path_ = (home / paths::kEventStream).native();
  queue_path_ = (home / paths::kEventQueue).native();
  listener_.emplace(stream_path_, kSocketMode);
  queue_.emplace(queue_path_, kSocketMode);
  WatchAll();
}

// ---- pausing ----

void LocalIntake::Pause(Spool::Outcome outcome) {
  if (paused_) return;
  paused_ = true;
  listener_readable_.reset();
  accept_again_.reset();
  queue_readable_.reset();
  for (Peer& peer : peers_) peer.readable.reset();
  hooks_.refused(outcome);
}

void LocalIntake::WatchAll() {
  WatchListener();
  queue_readable_ = loop_.WatchReadable(queue_->fd(), [this] { ReadQueue(); });
  for (auto peer = peers_.begin(); peer != peers_.end(); ++peer) Watch(peer);
}

void LocalIntake::Resume() {
  if (!paused_) return;
  paused_ = false;
  if (!StoreWaiting()) return;
  for (auto peer = peers_.begin(); peer != peers_.end() && !paused_;) {
    const auto here = peer++;
    if (here->waiting.empty()) continue;
    std::string bytes = std::exchange(here->waiting, {});
    std::string reason;
    if (ipc::ParseFrame(bytes, frame_, reason)) TakeFrame(*here, frame_, bytes);
  }
  if (!paused_) WatchAll();
}

// ---- connections ----

void LocalIntake::WatchListener() {
  listener_readable_ = loop_.WatchReadable(listener_->fd(), [this] { Accept(); });
}

void LocalIntake::Watch(Peers::iterator peer) {
  peer->readable = loop_.WatchReadable(peer->stream.fd(), [this, peer] {
    if (!ReadPeer(*peer)) peers_.erase(peer);
  });
}

void LocalIntake::Accept() {
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

bool LocalIntake::ReadPeer(Peer& peer) {
  bool open = true;
  for (size_t turn = 0; turn < kFramesPerTurn && !paused_ && open; ++turn) {
    std::string reason;
    const auto status = peer.stream.Receive(buffer_, frame_, reason);
    if (status == ipc::StreamPeer::Status::kEmpty) break;
    if (status == ipc::StreamPeer::Status::kFrame) {
      TakeFrame(peer, frame_, buffer_);
      continue;
    }
    if (status == ipc::StreamPeer::Status::kBad) frame_error_.Write(stream_path_, reason);
    open = false;
  }
  TrimMemory();
  hooks_.stored(std::exchange(urgent_, false));
  return open;
}

void LocalIntake::TrimMemory() {
  if (buffer_.capacity() <= kKeptBuffer) return;
  std::string().swap(buffer_);
  frame_ = {};
  std::vector<std::string_view>().swap(events_);
}

// False: kept for later, and the intake is paused.
bool LocalIntake::TakeFrame(Peer& peer, const ipc::Frame& frame, std::string& bytes) {
  for (const ipc::Group& group : frame.groups) {
    const Spool::Outcome outcome = StoreGroup(group);
    if (outcome == Spool::Outcome::kStored) continue;
    // Groups before this one are in the spool, with their senders' numbers: they are skipped when
    // the frame is taken again.
    peer.waiting = std::move(bytes);
    Pause(outcome);
    return false;
  }
  peer.taken = frame.number;
  unsynced_ += bytes.size();
  AnswerSoon();
  return true;
}

Spool::Outcome LocalIntake::StoreGroup(const ipc::Group& group) {
  const uint64_t last = group.first + group.events.size() - 1;
  const uint64_t known = spool_.LastNumber(group.sender);
  if (last <= known) return Spool::Outcome::kStored;  // sent again
  events_.clear();
  uint64_t number = group.first;
  for (const std::string_view event : group.events) {
    if (number++ > known && Admit(event, stream_path_)) events_.push_back(event);
  }
  return spool_.Append(events_, base::WallNowMilliseconds(), SenderNote{group.sender, last});
}

bool LocalIntake::Admit(std::string_view event, const std::string& source) {
  ipc::MessageFault fault{};
  if (ipc::ParseQueueMessage(event, &fault)) {
    urgent_ = urgent_ || IsUrgent(event);
    return true;
  }
  ++malformed_;
  format_error_.Write(source, event.substr(0, kShown));
  return false;
}

// ---- datagrams ----

// True: there may be more.
bool LocalIntake::ReadQueue() {
  const auto datagrams = queue_->Receive();
  if (datagrams.empty()) {
    if (errno != EAGAIN) read_error_.Write(queue_path_, base::ErrnoText(errno));
    return false;
  }
  events_.clear();
  for (const ipc::DatagramReceiver::Datagram& datagram : datagrams) {
    if (Admit(datagram.bytes, queue_path_)) events_.push_back(datagram.bytes);
  }
  const Spool::Outcome outcome = events_.empty()
                                     ? Spool::Outcome::kStored
                                     : spool_.Append(events_, base::WallNowMilliseconds());
  if (outcome != Spool::Outcome::kStored) {
    waiting_.assign(events_.begin(), events_.end());
    Pause(outcome);
    return false;
  }
  hooks_.stored(std::exchange(urgent_, false));
  return true;
}

// False: the spool still takes nothing.
bool LocalIntake::StoreWaiting() {
  if (waiting_.empty()) return true;
  events_.assign(waiting_.begin(), waiting_.end());
  const Spool::Outcome outcome = spool_.Append(events_, base::WallNowMilliseconds());
  if (outcome != Spool::Outcome::kStored) {
    Pause(outcome);
    return false;
  }
  waiting_.clear();
  waiting_.shrink_to_fit();
  hooks_.stored(std::exchange(urgent_, false));
  return true;
}

// ---- answers ----

void LocalIntake::AnswerSoon() {
  if (unsynced_ >= kAnswerAtOnce) {
    SyncAndAnswer();
  } else if (!answer_timer_) {
    answer_timer_ = loop_.After(kAnswerDelay, [this] { SyncAndAnswer(); });
  }
}

bool LocalIntake::SyncAndAnswer() {
  answer_timer_.reset();
  if (!spool_.Sync()) {
    // Frames stay unanswered; it is tried again.
    answer_timer_ = loop_.After(kAcceptPause, [this] { SyncAndAnswer(); });
    return false;
  }
  unsynced_ = 0;
  Answer();
  return true;
}

void LocalIntake::Answer() {
  for (Peer& peer : peers_) {
    if (peer.taken == peer.answered) continue;
    peer.answered = peer.taken;
    // Not erased here: its reader may be at work. It reads the end, and that erases it.
    if (!peer.stream.Answer(peer.taken)) peer.stream.HangUp();
  }
}

void LocalIntake::Drain() {
  listener_readable_.reset();
  accept_again_.reset();
  constexpr int kMostTurns = 64;
  for (int turn = 0; turn < kMostTurns && !paused_ && queue_ && ReadQueue(); ++turn) {
  }
  for (auto peer = peers_.begin(); peer != peers_.end() && !paused_;) {
    const auto here = peer++;
    if (!ReadPeer(*here)) peers_.erase(here);
  }
  SyncAndAnswer();
}

}  // namespace ospatrol::agentd
