#include "remoted_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/random.h"
#include "product/paths.h"

namespace ospatrol::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kStartPauseUs = 2'000;
constexpr int kRunning = 7;  // UDP_LISTEN has no state of its own: an unconnected socket

// Below these only what remoted itself wrote.
constexpr std::string_view kEmptied[] = {"queue/rids", "queue/agent-info"};
constexpr const char* kLossLines[] = {" packets dropped by the kernel on port ",
                                      " packets of agents that send most dropped unread",
                                      " events of agents and syslog senders dropped"};

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
    : InstalledDaemon(std::move(prefix), "remoted", std::move(cpus), "keys, counters and logs"),
      port_(port) {}

std::vector<secure::AgentKey> RemotedProcess::MakeAgents(size_t count) {
  std::string text;
  for (size_t i = 1; i <= count; ++i) {
    text += fmt::format("{:03} bench{:05} any {}\n", i, i, base::ToHex(base::RandomBytes(32)));
  }
  // In place: owner and mode stay.
  const fs::path path = Home(prefix()) / paths::kClientKeys;
  std::ofstream(path, std::ios::trunc) << text;
  std::vector<secure::KeyProblem> problems;
  const secure::KeyTable table = secure::ParseKeys(text, problems);
  if (table.size() != count) throw Error("client.keys: not all agents that were written are read");
  return {table.entries().begin(), table.entries().end()};
}

void RemotedProcess::Start() {
  Empty(kEmptied);
  std::error_code missing;
  fs::resize_file(Home(prefix()) / paths::kLog, 0, missing);
  if (LookAtPort(port_).bound) throw Error(fmt::format("port {} is in use", port_));
  Launch();
  WaitFor([this] { return LookAtPort(port_).bound; }, kStartPauseUs,
          fmt::format("socket on port {}", port_));
}

size_t RemotedProcess::Descriptors() const {
  std::error_code gone;
  const fs::directory_iterator entries(fmt::format("/proc/{}/fd", pid()), gone);
  return gone ? 0 : static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

std::map<std::string, uint64_t> RemotedProcess::State() const {
  std::map<std::string, uint64_t> state;
  std::ifstream in(prefix() / "var/run/ospatrol-remoted.state");
  for (std::string line; std::getline(in, line);) {
    const size_t equals = line.find("='");
    if (equals == std::string::npos) continue;
    state[line.substr(0, equals)] = std::strtoull(line.c_str() + equals + 2, nullptr, 10);
  }
  return state;
}

uint64_t RemotedProcess::LostInLog() const {
  uint64_t lost = 0;
  std::ifstream in(Home(prefix()) / paths::kLog);
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
  for (const auto& entry : fs::directory_iterator(Home(prefix()) / paths::kAgentInfo, missing)) {
    if (entry.last_write_time() >= since) ++heard;
  }
  return agents - std::min(agents, heard);
}

}  // namespace ospatrol::bench
