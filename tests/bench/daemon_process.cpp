#include "daemon_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "meter.h"
#include "sender.h"

namespace ospatrol::bench {
namespace {

namespace fs = std::filesystem;

constexpr double kPatience = 120;  // seconds
constexpr int kStartPauseUs = 500;
constexpr size_t kPiece = 1 << 20;

// Below these only what analysisd itself wrote.
constexpr std::string_view kEmptied[] = {
    "logs/alerts",     "logs/archives",  "logs/firewall", "queue/fts",
    "queue/rootcheck", "queue/syscheck", "queue/diff",    "stats"};

}  // namespace

bool RecordCounter::Read(std::string_view wanted) {
  if (!fd_) fd_ = base::OpenFile(file_, O_RDONLY);
  if (!fd_) return false;
  found_ = false;
  std::string piece(kPiece, '\0');
  ssize_t length = 0;
  while ((length = ::read(fd_.get(), piece.data(), piece.size())) > 0) {
    bytes_ += static_cast<uint64_t>(length);
    std::string_view left(piece.data(), static_cast<size_t>(length));
    for (size_t end = 0; (end = left.find('\n')) != std::string_view::npos;
         left.remove_prefix(end + 1)) {
      if (carry_.empty()) {
        Take(left.substr(0, end), wanted);
      } else {
        carry_ += left.substr(0, end);
        Take(carry_, wanted);
        carry_.clear();
      }
    }
    carry_ += left;
  }
  return found_;
}

void RecordCounter::Take(std::string_view line, std::string_view wanted) {
  if (line.starts_with(beginning_)) ++records_;
  if (!wanted.empty() && line.find(wanted) != std::string_view::npos) found_ = true;
}

DaemonProcess::DaemonProcess(fs::path prefix, std::vector<int> cpus,
                             std::vector<std::string> arguments)
    : InstalledDaemon(std::move(prefix), "analysisd", std::move(cpus), "logs and state"),
      arguments_(std::move(arguments)),
      text_(this->prefix() / "logs/alerts/alerts.log", "** Alert "),
      json_(this->prefix() / "logs/alerts/alerts.json", "{") {}

std::string DaemonProcess::NewToken() { return fmt::format("token{}x{}", ::getpid(), ++tokens_); }

std::string DaemonProcess::TokenMessage(const std::string& token) {
  return fmt::format(
      "1:/var/log/token.log:Jan  1 00:00:01 bench sudo:    bench : 3 incorrect password attempts ; "
      "TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/{}",
      token);
}

double DaemonProcess::Start() {
  Empty(kEmptied);
  const double begin = MonotonicSeconds();
  Launch(arguments_);
  const std::string token = NewToken();
  WaitFor([&] { return Sender::SendOne(prefix(), TokenMessage(token)); }, kStartPauseUs, "socket");
  WaitFor([&] { return text_.Read(token); }, kStartPauseUs, "alert");
  return MonotonicSeconds() - begin;
}

void DaemonProcess::SendTokenAndWait() {
  const std::string token = NewToken();
  if (!Sender::SendOne(prefix(), TokenMessage(token))) throw Error("analysisd takes no event");
  const double begin = MonotonicSeconds();
  // Reading the file while the daemon works would take cache and processor from it.
  for (;;) {
    WaitUntilIdle();
    if (text_.Read(token)) break;
    if (MonotonicSeconds() - begin > kPatience) throw Error("an event is lost: no alert about it");
  }
}

}  // namespace ospatrol::bench
