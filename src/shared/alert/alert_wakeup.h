// Tells a consumer that alerts may have come, so that it need not poll: a datagram from analysisd
// at queue/alerts/notify.NAME, and file notices of the alert log for those who write it without
// telling. Only a hint: the consumer also looks every kPollInterval.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert_files.h"
#include "base/fd.h"
#include "product/paths.h"

namespace ospatrol::alert {

inline constexpr std::string_view kNotifyDirectory = "queue/alerts";
inline constexpr std::string_view kNotifyPrefix = "notify.";

class AlertWakeUp {
 public:
  static constexpr std::chrono::seconds kPollInterval{5};

  // Binds the socket (mode 0660). `name` as CursorNames gave it. Throws Error when that fails; file
  // notices are done without when the system has none.
  AlertWakeUp(const Home& home, std::string_view name, const DailyNames& files);
  ~AlertWakeUp();
  AlertWakeUp(const AlertWakeUp&) = delete;
  AlertWakeUp& operator=(const AlertWakeUp&) = delete;

  // Readable when there is something to look at; -1 = none.
  std::array<int, 2> descriptors() const { return {socket_.get(), notices_.get()}; }

  // Takes all hints. To be called before the alerts are read, so that none is missed.
  void Clear();

 private:
  void WatchCurrentFile();

  std::filesystem::path socket_path_, current_;
  base::Fd socket_, notices_;
  int current_watch_ = -1;
};

// The other end: wakes every consumer that has a socket. Never waits; loss is harmless.
class AlertNotifier {
 public:
  explicit AlertNotifier(const Home& home);

  // Looks for sockets that came or went. Seldom: once a second.
  void Refresh();
  void Notify();

 private:
  std::filesystem::path directory_;
  base::Fd socket_;
  std::vector<std::string> paths_;
};

}  // namespace ospatrol::alert
