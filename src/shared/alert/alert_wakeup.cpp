#include "alert/alert_wakeup.h"

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ipc/unix_socket.h"

namespace ospatrol::alert {
namespace {

constexpr mode_t kSocketMode = 0660;

// Takes everything that can be read, and ignores it.
void Empty(int fd) {
  std::array<char, 4096> bytes;
  for (;;) {
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got <= 0 && errno != EINTR) return;
  }
}

}  // namespace

AlertWakeUp::AlertWakeUp(const Home& home, std::string_view name, const DailyNames& files)
    : socket_path_(home / kNotifyDirectory / (std::string(kNotifyPrefix) + std::string(name))),
      current_(files.link.empty() ? std::filesystem::path() : home / files.tree / files.link),
      socket_(ipc::BindUnixSocket(socket_path_, SOCK_DGRAM, kSocketMode)),
      notices_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!notices_) return;
  const std::filesystem::path directory = home / files.tree;
  // A new day: the link is renamed over the old one. Files of the spool lie in the directory.
  ::inotify_add_watch(notices_.get(), directory.c_str(), IN_MOVED_TO | IN_CREATE | IN_MODIFY);
  WatchCurrentFile();
}

AlertWakeUp::~AlertWakeUp() { ::unlink(socket_path_.c_str()); }

// By its content, whatever name it is written under.
void AlertWakeUp::WatchCurrentFile() {
  if (!notices_ || current_.empty()) return;
  const int watch = ::inotify_add_watch(notices_.get(), current_.c_str(), IN_MODIFY);
  if (watch == current_watch_) return;
  if (current_watch_ >= 0) ::inotify_rm_watch(notices_.get(), current_watch_);
  current_watch_ = watch;
}

void AlertWakeUp::Clear() {
  Empty(socket_.get());
  if (!notices_) return;
  Empty(notices_.get());
  WatchCurrentFile();
}

AlertNotifier::AlertNotifier(const Home& home)
    : directory_(home / kNotifyDirectory),
      socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  Refresh();
}

void AlertNotifier::Refresh() {
  paths_.clear();
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    if (!entry.path().filename().native().starts_with(kNotifyPrefix)) continue;
    if (entry.path().native().size() >= sizeof(sockaddr_un::sun_path)) continue;
    std::error_code ignored;
    if (entry.symlink_status(ignored).type() == std::filesystem::file_type::socket) {
      paths_.push_back(entry.path().native());
    }
  }
}

void AlertNotifier::Notify() {
  for (const std::string& path : paths_) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    // A full queue means that the consumer has been told already.
    ::sendto(socket_.get(), "", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
}

}  // namespace ospatrol::alert
