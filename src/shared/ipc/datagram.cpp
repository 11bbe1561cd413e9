#include "ipc/datagram.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

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

DatagramReceiver::DatagramReceiver(const std::filesystem::path& path, mode_t mode)
    : fd_(BindUnixSocket(path, SOCK_DGRAM, mode)), space_(kMaxMessage + 1, '\0') {
  GrowReceiveBuffer(fd_.get(), kReceiveBuffer);
}

DatagramReceiver::Status DatagramReceiver::Receive(std::string& buffer) {
  ssize_t length = 0;
  do {
    // With MSG_TRUNC the result is the true length, also when it did not fit.
    length = ::recv(fd_.get(), space_.data(), space_.size(), MSG_TRUNC);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return errno == EAGAIN ? Status::kEmpty : Status::kError;
  const bool truncated = static_cast<size_t>(length) > space_.size();
  std::string_view bytes(space_.data(), truncated ? space_.size() : static_cast<size_t>(length));
  if (bytes.ends_with('\0')) bytes.remove_suffix(1);
  buffer = bytes.substr(0, kMaxMessage);
  return truncated || bytes.size() > kMaxMessage ? Status::kTruncated : Status::kMessage;
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
