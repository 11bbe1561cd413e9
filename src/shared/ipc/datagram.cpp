#include "ipc/datagram.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ipc/queue_message.h"
#include "ipc/unix_socket.h"

namespace ospatrol::ipc {
namespace {

constexpr int kSendBuffer = 256 * 1024;
constexpr int kReceiveBuffer = 1024 * 1024;
// Fits whatever the system's buffer limits are; the size that receivers have always taken.
constexpr size_t kClassicMessage = 6143;

ssize_t SendWithNul(int fd, std::string_view message) {
  char nul = '\0';
  // iovec is not const-correct; sendmsg only reads.
  iovec parts[2] = {{const_cast<char*>(message.data()), message.size()}, {&nul, 1}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  return ::sendmsg(fd, &header, MSG_NOSIGNAL);
}

bool WaitWritable(int fd, int milliseconds) {
  pollfd poll_fd{fd, POLLOUT, 0};
  return ::poll(&poll_fd, 1, milliseconds) > 0;
}

}  // namespace

// Room for kMostAtOnce longest messages. Nearly all are short: their beginnings lie side by side,
// so that a burst of them stays in the processor's nearest caches. The rest of a long one goes to
// where there is room in front of it for its beginning. Pages that no long message has touched yet
// cost nothing.
struct DatagramReceiver::Space {
  static constexpr size_t kEach = kMaxMessage + 1;
  static constexpr size_t kHead = 512;

  Space()
      : heads(std::make_unique_for_overwrite<char[]>(kMostAtOnce * kHead)),
        wholes(std::make_unique_for_overwrite<char[]>(kMostAtOnce * kEach)) {
    for (size_t i = 0; i < kMostAtOnce; ++i) {
      parts[i] = {{{Head(i), kHead}, {Whole(i) + kHead, kEach - kHead}}};
      headers[i].msg_hdr.msg_iov = parts[i].data();
      headers[i].msg_hdr.msg_iovlen = parts[i].size();
    }
  }

  char* Head(size_t i) const { return heads.get() + i * kHead; }
  char* Whole(size_t i) const { return wholes.get() + i * kEach; }

  // Message `i`, which has `length` bytes here.
  std::string_view Bytes(size_t i, size_t length) const {
    if (length <= kHead) return {Head(i), length};
    std::memcpy(Whole(i), Head(i), kHead);
    return {Whole(i), length};
  }

  std::unique_ptr<char[]> heads, wholes;
  std::array<std::array<iovec, 2>, kMostAtOnce> parts{};
  std::array<mmsghdr, kMostAtOnce> headers{};
  std::array<Datagram, kMostAtOnce> received{};
};

DatagramReceiver::DatagramReceiver(const std::filesystem::path& path, mode_t mode)
    : fd_(BindUnixSocket(path, SOCK_DGRAM, mode)), space_(std::make_unique<Space>()) {
  GrowReceiveBuffer(fd_.get(), kReceiveBuffer);
}

DatagramReceiver::~DatagramReceiver() = default;

std::span<const DatagramReceiver::Datagram> DatagramReceiver::Receive() {
  int count = 0;
  do {
    // With MSG_TRUNC the length is the true one, also when it did not fit.
    count = ::recvmmsg(fd_.get(), space_->headers.data(), kMostAtOnce, MSG_TRUNC, nullptr);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return {};
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const size_t length = space_->headers[i].msg_len;
    const bool cut = length > Space::kEach;
    std::string_view bytes = space_->Bytes(i, cut ? Space::kEach : length);
    if (bytes.ends_with('\0')) bytes.remove_suffix(1);
    space_->received[i] = {bytes.substr(0, kMaxMessage), cut || bytes.size() > kMaxMessage};
  }
  return std::span(space_->received).first(static_cast<size_t>(count));
}

bool DatagramSender::Connect() {
  fd_ = ConnectUnixSocket(path_, SOCK_DGRAM);
  if (!fd_) return false;
  GrowSendBuffer(fd_.get(), kSendBuffer);
  return true;
}

DatagramSender::Status DatagramSender::Send(std::string_view message, int wait_milliseconds) {
  if (!fd_) return Status::kGone;
  message = message.substr(0, kMaxMessage);
  bool waited = false;
  for (;;) {
    if (SendWithNul(fd_.get(), message) >= 0) return Status::kSent;
    switch (errno) {
      case EINTR:
        continue;
      case EMSGSIZE:
        if (message.size() <= kClassicMessage) break;
        message = message.substr(0, kClassicMessage);
        continue;
      case EAGAIN:
      case ENOBUFS:
      case ENOMEM:
        if (waited || !WaitWritable(fd_.get(), wait_milliseconds)) return Status::kFull;
        waited = true;
        continue;
      default:
        break;
    }
    fd_.reset();
    return Status::kGone;
  }
}

}  // namespace ospatrol::ipc
