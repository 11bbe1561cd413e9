#include "ipc/stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "ipc/unix_socket.h"

namespace ospatrol::ipc {
namespace {

constexpr int kBacklog = 128;
constexpr size_t kAnswerSize = 8;
// A sender may have all its unanswered frames in the socket.
constexpr int kBuffer = static_cast<int>(StreamSender::kMaxUnanswered * kMaxFrame);

ssize_t SendPacket(int fd, std::string_view bytes) {
  ssize_t sent = 0;
  do {
    sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

ssize_t ReceivePacket(int fd, char* to, size_t size, int flags) {
  ssize_t received = 0;
  do {
    received = ::recv(fd, to, size, flags | MSG_TRUNC);
  } while (received < 0 && errno == EINTR);
  return received;
}

}  // namespace

StreamListener::StreamListener(const std::filesystem::path& path, mode_t mode)
    : fd_(BindUnixSocket(path, SOCK_SEQPACKET, mode)) {
  if (::listen(fd_.get(), kBacklog) != 0) {
    throw Error(fmt::format("{}: cannot listen: {}", path.string(), base::ErrnoText(errno)));
  }
}

base::Fd StreamListener::Accept() {
  base::Fd fd;
  do {
    fd = base::Fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  } while (!fd && (errno == EINTR || errno == ECONNABORTED));
  return fd;
}

StreamPeer::Status StreamPeer::Receive(std::string& buffer, Frame& frame, std::string& reason) {
  if (!fd_) return Status::kClosed;
  // Looking at the length first costs a call and saves clearing 128 KiB for each small frame.
  const ssize_t length = ReceivePacket(fd_.get(), nullptr, 0, MSG_PEEK);
  if (length < 0) return errno == EAGAIN ? Status::kEmpty : Status::kClosed;
  if (length == 0) return Status::kClosed;
  if (static_cast<size_t>(length) > kMaxFrame) {
    reason = fmt::format("{} bytes, more than {}", length, kMaxFrame);
    return Status::kBad;
  }
  buffer.resize(static_cast<size_t>(length));
  if (ReceivePacket(fd_.get(), buffer.data(), buffer.size(), 0) != length) return Status::kClosed;
  if (!ParseFrame(buffer, frame, reason)) return Status::kBad;
  if (frame.number != expected_) {
    reason = fmt::format("number {}, expected {}", frame.number, expected_);
    return Status::kBad;
  }
  ++expected_;
  return Status::kFrame;
}

bool StreamPeer::Answer(uint64_t frame_number) {
  // A peer with so many unread answers that the socket is full has stopped following the protocol.
  return fd_.IsOpen() && SendPacket(fd_.get(), FormatAnswer(frame_number)) >= 0;
}

void StreamPeer::HangUp() { ::shutdown(fd_.get(), SHUT_RDWR); }

bool StreamSender::Connect() {
  fd_ = ConnectUnixSocket(path_, SOCK_SEQPACKET);
  if (!fd_) return false;
  GrowSendBuffer(fd_.get(), kBuffer);
  next_unsent_ = 0;
  next_number_ = 1;
  for (Pending& pending : unanswered_) {
    pending.number = next_number_++;
    PatchFrameNumber(pending.number, pending.bytes);
  }
  return true;
}

void StreamSender::Submit(FrameBuilder& builder, uint64_t token) {
  const uint64_t number = next_number_++;
  unanswered_.push_back({std::string(builder.Finish(number)), token, number});
  builder.Clear();
}

bool StreamSender::Pump(std::deque<uint64_t>& taken) {
  if (!fd_) return false;
  bool alive = true;
  while (alive && WantsWrite()) {
    if (SendPacket(fd_.get(), unanswered_[next_unsent_].bytes) >= 0) {
      ++next_unsent_;
    } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
      break;
    } else {
      alive = false;
    }
  }
  // Answers that came before the end still count: without them their events would be sent twice.
  if (!ReadAnswers(taken)) alive = false;
  if (!alive) {
    fd_.reset();
    next_unsent_ = 0;
  }
  return alive;
}

bool StreamSender::ReadAnswers(std::deque<uint64_t>& taken) {
  char bytes[kAnswerSize];
  for (;;) {
    const ssize_t length = ReceivePacket(fd_.get(), bytes, sizeof(bytes), 0);
    if (length < 0) return errno == EAGAIN;
    uint64_t answered = 0;
    if (length != ssize_t{sizeof(bytes)} ||
        !ParseAnswer(std::string_view(bytes, sizeof(bytes)), answered)) {
      return false;  // the end, or not our protocol
    }
    while (next_unsent_ > 0 && unanswered_.front().number <= answered) {
      taken.push_back(unanswered_.front().token);
      unanswered_.pop_front();
      --next_unsent_;
    }
  }
}

}  // namespace ospatrol::ipc
