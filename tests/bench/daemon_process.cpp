#include "daemon_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "meter.h"
#include "sender.h"

namespace ospatrol::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr double kPatience = 120;  // seconds
constexpr size_t kPiece = 1 << 20;

// Below these only what analysisd itself wrote.
constexpr const char* kEmptied[] = {
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
    : prefix_(std::move(prefix)),
      cpus_(std::move(cpus)),
      arguments_(std::move(arguments)),
      text_(prefix_ / "logs/alerts/alerts.log", "** Alert "),
      json_(prefix_ / "logs/alerts/alerts.json", "{") {
  if (!fs::exists(prefix_ / "benchmark-prefix")) {
    throw Error(
        fmt::format("{}: holds no file 'benchmark-prefix'; make it if logs and state of this "
                    "installation may be emptied",
                    prefix_.string()));
  }
}

DaemonProcess::~DaemonProcess() {
  try {
    Stop();
  } catch (const std::exception& error) {
    fmt::print(stderr, "analysisd_bench: {}\n", error.what());
  }
}

void DaemonProcess::Empty() const {
  for (const char* directory : kEmptied) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(prefix_ / directory, missing)) {
      fs::remove_all(entry.path());
    }
  }
}

std::string DaemonProcess::TokenMessage(const std::string& token) const {
  return fmt::format(
      "1:/var/log/token.log:Jan  1 00:00:01 bench sudo:    bench : 3 incorrect password attempts ; "
      "TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/{}",
      token);
}

bool DaemonProcess::HasEnded() {
  if (pid_ <= 0) return true;
  if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

double DaemonProcess::Start() {
  Empty();
  const std::string program = prefix_ / "bin/ospatrol-analysisd";
  const std::string prefix = prefix_;
  std::vector<const char*> argv{program.c_str(), "-f", "-D", prefix.c_str()};
  for (const std::string& argument : arguments_) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  const double begin = MonotonicSeconds();
  pid_ = ::fork();
  if (pid_ < 0) throw Error(fmt::format("fork: {}", base::ErrnoText(errno)));
  if (pid_ == 0) {
    try {
      PinThread(cpus_);
    } catch (const Error&) {
      ::_exit(126);
    }
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
    // exec is not const-correct; it only reads.
    ::execv(program.c_str(), const_cast<char* const*>(argv.data()));
    ::_exit(127);
  }
  const std::string token = fmt::format("token{}x{}", ::getpid(), ++tokens_);
  while (!Sender::SendOne(prefix_, TokenMessage(token))) {
    if (HasEnded()) throw Error(fmt::format("{} ended; see logs/ospatrol.log there", program));
    if (MonotonicSeconds() - begin > kPatience) throw Error("no socket after two minutes");
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  while (!text_.Read(token)) {
    if (HasEnded()) throw Error(fmt::format("{} ended; see logs/ospatrol.log there", program));
    if (MonotonicSeconds() - begin > kPatience) throw Error("no alert after two minutes");
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return MonotonicSeconds() - begin;
}

void DaemonProcess::SendTokenAndWait() {
  const std::string token = fmt::format("token{}x{}", ::getpid(), ++tokens_);
  if (!Sender::SendOne(prefix_, TokenMessage(token))) throw Error("analysisd takes no event");
  const double begin = MonotonicSeconds();
  // Reading the file while the daemon works would take cache and processor from it.
  for (;;) {
    WaitUntilIdle();
    if (text_.Read(token)) break;
    if (MonotonicSeconds() - begin > kPatience) throw Error("an event is lost: no alert about it");
  }
}

void DaemonProcess::WaitUntilIdle() const {
  constexpr int kQuietLooks = 5;
  constexpr double kQuiet = 0.002;  // seconds of 20 ms
  double before = 0;
  CpuOf(pid_, before);
  for (int quiet = 0; quiet < kQuietLooks;) {
    std::this_thread::sleep_for(milliseconds(20));
    double now = 0;
    CpuOf(pid_, now);
    quiet = now - before < kQuiet ? quiet + 1 : 0;
    before = now;
  }
}

void DaemonProcess::Stop() {
  if (HasEnded()) return;
  ::kill(pid_, SIGTERM);
  const double begin = MonotonicSeconds();
  while (!HasEnded()) {
    if (MonotonicSeconds() - begin > kPatience) throw Error("analysisd does not end on SIGTERM");
    std::this_thread::sleep_for(milliseconds(5));
  }
}

}  // namespace ospatrol::bench
