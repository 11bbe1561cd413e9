// Readiness for the service manager: the protocol of sd_notify(3) over NOTIFY_SOCKET.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/fd.h"

namespace ospatrol::daemon {

class Notifier {
 public:
  // Connects at once: after a chroot the socket is out of reach. Without NOTIFY_SOCKET, or when it
  // cannot be reached, nothing is sent. Removes its variables from the environment: programs that
  // we start have no business with them.
  Notifier();

  void Ready();
  void Reloading();
  void Stopping();
  void Alive();

  // How often Alive() must be called; nothing when the manager does not watch this process.
  std::optional<std::chrono::milliseconds> watchdog_interval() const { return watchdog_interval_; }

 private:
  void Send(std::string_view state);

  base::Fd socket_;
  std::optional<std::chrono::milliseconds> watchdog_interval_;
};

}  // namespace ospatrol::daemon
