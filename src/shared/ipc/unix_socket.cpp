#include "ipc/unix_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/files.h"

namespace ospatrol::ipc {
namespace {

constexpr int kBindFailed = 1206;

// False when the path does not fit into a socket address.
bool FillAddress(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Error BindError(const std::filesystem::path& path, int error) {
  return Error(
      kBindFailed,
      fmt::format("Unable to bind socket '{}': {}; check that its directory exists and "
                  "is writable for this program, and that the path has at most {} bytes.",
                  path.string(), base::ErrnoText(error), sizeof(sockaddr_un::sun_path) - 1));
}

void Grow(int fd, int option, int forced_option, int bytes) {
  int present = 0;
  socklen_t size = sizeof(present);
  // The kernel reports twice what was asked for: its own bookkeeping is in it.
  if (::getsockopt(fd, SOL_SOCKET, option, &present, &size) == 0 && present / 2 >= bytes) return;
  if (::setsockopt(fd, SOL_SOCKET, forced_option, &bytes, sizeof(bytes)) == 0) return;
  ::setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof(bytes));
}

}  // namespace

base::Fd BindUnixSocket(const std::filesystem::path& path, int type, mode_t mode) {
  sockaddr_un address;
  if (!FillAddress(path.string(), address)) throw BindError(path, errno);
  base::Fd fd(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw BindError(path, errno);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw BindError(path, errno);
  // Born with its mode: changing it later by name could hit what somebody put in its place.
  const mode_t mask = ::umask(0777 & ~mode);
  const int bound = ::bind(fd.get(), Generic(address), sizeof(address));
  const int error = errno;
  ::umask(mask);
  if (bound != 0) throw BindError(path, error);
  return fd;
}

base::Fd ConnectUnixSocket(const std::filesystem::path& path, int type) {
  sockaddr_un address;
  if (!FillAddress(path.string(), address)) return base::Fd();
  base::Fd fd(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  if (::connect(fd.get(), Generic(address), sizeof(address)) != 0) {
    const int error = errno;
    fd.reset();
    errno = error;
  }
  return fd;
}

QueueFill LookAtQueue(const std::filesystem::path& path) {
  const base::Fd socket = ConnectUnixSocket(path, SOCK_DGRAM);
  if (!socket) return QueueFill::kAbsent;
  pollfd polled{socket.get(), POLLOUT, 0};
  const bool room = ::poll(&polled, 1, 0) > 0 && (polled.revents & POLLOUT) != 0;
  return room ? QueueFill::kRoom : QueueFill::kFull;
}

void GrowSendBuffer(int fd, int bytes) { Grow(fd, SO_SNDBUF, SO_SNDBUFFORCE, bytes); }

void GrowReceiveBuffer(int fd, int bytes) { Grow(fd, SO_RCVBUF, SO_RCVBUFFORCE, bytes); }

}  // namespace ospatrol::ipc
