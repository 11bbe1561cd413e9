#include "remoted_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "meter.h"
#include "product/paths.h"
#include "sender.h"

namespace ospatrol::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr double kPatience = 120;  // seconds
constexpr int kRunning = 7;        // UDP_LISTEN has no state of its own: an unconnected socket

// Below these only what remoted itself wrote.
constexpr const char* kEmptied[] = {"queue/rids", "queue/agent-info"};
constexpr const char* kLossLines[] = {" packets dropped by the kernel on port ",
                                      " packets of agents that send most dropped unread",
                                      " events of agents and syslog senders dropped"};

// remoted must not outlive a benchmark that is ended from outside.
volatile sig_atomic_t running_pid = 0;

void EndBoth(int /*signal*/) {
  if (running_pid > 0) ::kill(running_pid, SIGTERM);
  ::_exit(1);
}

void LookAtTable(const char* file, uint16_t port, PortState& state) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);  // the heading
  while (std::getline(in, line)) {
    unsigned local = 0, kind = 0;
    unsigned long sending = 0, receiving = 0;
    if (std::sscanf(line.c_str(), " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %lx:%lx", &local, &kind,
                    &sending, &receiving) != 4) {
      continue;
    }
    if (local != port || kind != kRunning) continue;
    state.bound = true;
    state.queued_bytes += receiving;
    const size_t last = line.find_last_not_of(' ');
    const size_t space = line.find_last_of(' ', last);
    state.dropped += std::strtoull(line.c_str() + space, nullptr, 10);
  }
}

}  // namespace

PortState LookAtPort(uint16_t port) {
  PortState state;
  LookAtTable("/proc/net/udp6", port, state);
  // The other table has the sockets of all agents of the benchmark: it is long.
  if (!state.bound) LookAtTable("/proc/net/udp", port, state);
  return state;
}

RemotedProcess::RemotedProcess(fs::path prefix, uint16_t port, std::vector<int> cpus)
    : prefix_(std::move(prefix)), port_(port), cpus_(std::move(cpus)) {
  if (!fs::exists(prefix_ / "benchmark-prefix")) {
    throw Error(
        fmt::format("{}: holds no file 'benchmark-prefix'; make it if keys, counters and "
                    "logs of this installation may be emptied",
                    prefix_.string()));
  }
}

RemotedProcess::~RemotedProcess() {
  try {
    Stop();
  } catch (const std::exception& error) {
    fmt::print(stderr, "remoted_bench: {}\n", error.what());
  }
}

void RemotedProcess::Empty() const {
  for (const char* directory : kEmptied) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(prefix_ / directory, missing)) {
      fs::remove_all(entry.path());
    }
  }
  std::error_code missing;
  fs::resize_file(Home(prefix_) / paths::kLog, 0, missing);
}

std::vector<secure::AgentKey> RemotedProcess::MakeAgents(size_t count) {
  std::string text;
  for (size_t i = 1; i <= count; ++i) {
    text += fmt::format("{:03} bench{:05} any {}\n", i, i, base::ToHex(base::RandomBytes(32)));
  }
  // In place: owner and mode stay.
  const fs::path path = Home(prefix_) / paths::kClientKeys;
  std::ofstream(path, std::ios::trunc) << text;
  std::vector<secure::KeyProblem> problems;
  const secure::KeyTable table = secure::ParseKeys(text, problems);
  if (table.size() != count) throw Error("client.keys: not all agents that were written are read");
  return {table.entries().begin(), table.entries().end()};
}

bool RemotedProcess::HasEnded() {
  if (pid_ <= 0) return true;
  if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
  pid_ = -1;
  running_pid = 0;
  return true;
}

void RemotedProcess::Start() {
  Empty();
  if (LookAtPort(port_).bound) throw Error(fmt::format("port {} is in use", port_));
  const std::string program = prefix_ / "bin/ospatrol-remoted";
  const std::string prefix = prefix_;
  pid_ = ::fork();
  if (pid_ < 0) throw Error(fmt::format("fork: {}", base::ErrnoText(errno)));
  running_pid = pid_;
  for (const int end : {SIGTERM, SIGINT}) {
    ::signal(end, pid_ == 0 ? SIG_DFL : &EndBoth);
  }
  if (pid_ == 0) {
    try {
      PinThread(cpus_);
    } catch (const Error&) {
      ::_exit(126);
    }
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
    const char* const argv[] = {program.c_str(), "-f", "-D", prefix.c_str(), nullptr};
    // exec is not const-correct; it only reads.
    ::execv(program.c_str(), const_cast<char* const*>(argv));
    ::_exit(127);
  }
  const double begin = MonotonicSeconds();
  while (!LookAtPort(port_).bound) {
    if (HasEnded()) throw Error(fmt::format("{} ended; see logs/ospatrol.log there", program));
    if (MonotonicSeconds() - begin > kPatience) {
      throw Error(fmt::format("remoted does not listen on port {} after two minutes", port_));
    }
    std::this_thread::sleep_for(milliseconds(2));
  }
}

void RemotedProcess::Stop() {
  if (HasEnded()) return;
  ::kill(pid_, SIGTERM);
  const double begin = MonotonicSeconds();
  while (!HasEnded()) {
    if (MonotonicSeconds() - begin > kPatience) throw Error("remoted does not end on SIGTERM");
    std::this_thread::sleep_for(milliseconds(5));
  }
}

void RemotedProcess::WaitUntilIdle() const {
  constexpr int kQuietLooks = 5;
  constexpr double kQuiet = 0.002;  // seconds of 20 ms
  const double begin = MonotonicSeconds();
  double before = CpuSeconds();
  for (int quiet = 0; quiet < kQuietLooks && MonotonicSeconds() - begin < kPatience;) {
    std::this_thread::sleep_for(milliseconds(20));
    const double now = CpuSeconds();
    quiet = now - before < kQuiet ? quiet + 1 : 0;
    before = now;
  }
}

double RemotedProcess::CpuSeconds() const {
  double total = 0;
  CpuOf(pid_, total);
  return total;
}

size_t RemotedProcess::Descriptors() const {
  std::error_code gone;
  const fs::directory_iterator entries(fmt::format("/proc/{}/fd", pid_), gone);
  return gone ? 0 : static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

std::map<std::string, uint64_t> RemotedProcess::State() const {
  std::map<std::string, uint64_t> state;
  std::ifstream in(prefix_ / "var/run/ospatrol-remoted.state");
  for (std::string line; std::getline(in, line);) {
    const size_t equals = line.find("='");
    if (equals == std::string::npos) continue;
    state[line.substr(0, equals)] = std::strtoull(line.c_str() + equals + 2, nullptr, 10);
  }
  return state;
}

uint64_t RemotedProcess::LostInLog() const {
  uint64_t lost = 0;
  std::ifstream in(Home(prefix_) / paths::kLog);
  for (std::string line; std::getline(in, line);) {
    for (const char* text : kLossLines) {
      const size_t at = line.find(text);
      if (at == std::string::npos) continue;
      const size_t number = line.find_last_not_of("0123456789", at - 1) + 1;
      lost += std::strtoull(line.c_str() + number, nullptr, 10);
    }
  }
  return lost;
}

size_t RemotedProcess::SilentSince(fs::file_time_type since, size_t agents) const {
  size_t heard = 0;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(Home(prefix_) / paths::kAgentInfo, missing)) {
    if (entry.last_write_time() >= since) ++heard;
  }
  return agents - std::min(agents, heard);
}

}  // namespace ospatrol::bench
