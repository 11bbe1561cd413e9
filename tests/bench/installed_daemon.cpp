#include "installed_daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
using std::chrono::microseconds;

constexpr double kPatience = 120;  // seconds
constexpr int kEndPauseUs = 5'000;

// Daemons must not outlive a benchmark that is ended from outside. 0: free.
std::array<volatile sig_atomic_t, 2> running{};

void EndAll(int /*signal*/) {
  for (const sig_atomic_t pid : running) {
    if (pid > 0) ::kill(pid, SIGTERM);
  }
  ::_exit(1);
}

void Replace(pid_t before, pid_t after) {
  const auto slot = std::find(running.begin(), running.end(), before);
  if (slot != running.end()) *slot = after;
}

void HandleEnds(void (*handler)(int)) {
  for (const int end : {SIGTERM, SIGINT}) ::signal(end, handler);
}

}  // namespace

InstalledDaemon::InstalledDaemon(fs::path prefix, std::string program, std::vector<int> cpus,
                                 std::string_view what)
    : prefix_(std::move(prefix)), program_(std::move(program)), cpus_(std::move(cpus)) {
  if (!fs::exists(prefix_ / "benchmark-prefix")) {
    throw Error(fmt::format(
        "{}: holds no file 'benchmark-prefix'; make it if {} of this installation may be emptied",
        prefix_.string(), what));
  }
}

InstalledDaemon::~InstalledDaemon() {
  try {
    Stop();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}_bench: {}\n", program_, error.what());
  }
}

void InstalledDaemon::Empty(std::span<const std::string_view> directories) const {
  for (const std::string_view directory : directories) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(prefix_ / directory, missing)) {
      fs::remove_all(entry.path());
    }
  }
}

void InstalledDaemon::Launch(const std::vector<std::string>& arguments) {
  const std::string path = prefix_ / "bin" / ("ospatrol-" + program_);
  std::vector<const char*> argv{path.c_str(), "-f", "-D", prefix_.c_str()};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  HandleEnds(&EndAll);
  pid_ = ::fork();
  if (pid_ < 0) throw Error(fmt::format("fork: {}", base::ErrnoText(errno)));
  if (pid_ == 0) {
    HandleEnds(SIG_DFL);
    try {
      PinThread(cpus_);
    } catch (const Error&) {
      ::_exit(126);
    }
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
    // exec is not const-correct; it only reads.
    ::execv(path.c_str(), const_cast<char* const*>(argv.data()));
    ::_exit(127);
  }
  Replace(0, pid_);
}

bool InstalledDaemon::HasEnded() {
  if (pid_ <= 0) return true;
  if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
  Replace(pid_, 0);
  pid_ = -1;
  return true;
}

void InstalledDaemon::WaitFor(const std::function<bool()>& ready, int pause_us,
                              std::string_view what) {
  const double begin = MonotonicSeconds();
  while (!ready()) {
    if (HasEnded()) {
      throw Error(fmt::format("{}/bin/ospatrol-{} ended; see logs/ospatrol.log there",
                              prefix_.string(), program_));
    }
    if (MonotonicSeconds() - begin > kPatience) {
      throw Error(fmt::format("no {} after two minutes", what));
    }
    std::this_thread::sleep_for(microseconds(pause_us));
  }
}

void InstalledDaemon::WaitUntilIdle() const {
  constexpr int kQuietLooks = 5;
  constexpr double kQuiet = 0.002;  // seconds of 20 ms
  const double begin = MonotonicSeconds();
  double before = CpuSeconds();
  for (int quiet = 0; quiet < kQuietLooks && MonotonicSeconds() - begin < kPatience;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const double now = CpuSeconds();
    quiet = now - before < kQuiet ? quiet + 1 : 0;
    before = now;
  }
}

double InstalledDaemon::CpuSeconds() const {
  double total = 0;
  CpuOf(pid_, total);
  return total;
}

void InstalledDaemon::Stop() {
  if (HasEnded()) return;
  ::kill(pid_, SIGTERM);
  const double begin = MonotonicSeconds();
  while (!HasEnded()) {
    if (MonotonicSeconds() - begin > kPatience) {
      throw Error(fmt::format("{} does not end on SIGTERM", program_));
    }
    std::this_thread::sleep_for(microseconds(kEndPauseUs));
  }
}

}  // namespace ospatrol::bench
