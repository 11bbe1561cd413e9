#include "daemon/notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/text.h"
#include "base/time.h"

namespace ospatrol::daemon {

namespace {

std::string TakeVariable(const char* name) {
  const char* value = std::getenv(name);
  const std::string taken = value == nullptr ? "" : value;
  unsetenv(name);
  return taken;
}

// `path` begins with '/' or, for the abstract name space, with '@'.
base::Fd Connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof(address.sun_path)) return {};
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  base::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    return {};
  }
  return socket;
}

// Twice as often as the manager wants to hear from us.
std::optional<std::chrono::milliseconds> WatchdogInterval() {
  const auto limit = base::ParseNumber<int64_t>(TakeVariable("WATCHDOG_USEC"));
  const auto watched = base::ParseNumber<pid_t>(TakeVariable("WATCHDOG_PID"));
  if (!limit || *limit < 2000 || (watched && *watched != getpid())) return std::nullopt;
  return std::chrono::milliseconds(*limit / 2000);
}

}  // namespace

Notifier::Notifier() : socket_(Connect(TakeVariable("NOTIFY_SOCKET"))) {
  const auto interval = WatchdogInterval();
  if (socket_) watchdog_interval_ = interval;
}

void Notifier::Ready() { Send(fmt::format("MAINPID={}\nREADY=1", getpid())); }

void Notifier::Reloading() {
  const auto now = base::MonotonicNow().time_since_epoch();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  Send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds));
}

void Notifier::Stopping() { Send("STOPPING=1"); }

void Notifier::Alive() { Send("WATCHDOG=1"); }

// Never blocks and never fails the daemon: the manager's own time-outs deal with a message that was
// lost.
void Notifier::Send(std::string_view state) {
  if (socket_) send(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace ospatrol::daemon
