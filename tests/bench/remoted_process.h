// An installed remoted that a benchmark starts, watches and ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "secure/keys.h"

namespace ospatrol::bench {

// What one UDP port holds in the kernel.
struct PortState {
  bool bound = false;
  uint64_t queued_bytes = 0;  // receive buffers in use, as the kernel charges them
  uint64_t dropped = 0;       // since it was bound
};
PortState LookAtPort(uint16_t port);

class RemotedProcess {
 public:
  // The prefix must carry the file `benchmark-prefix`, which says that its keys, counters and logs
  // may be emptied. Throws Error.
  RemotedProcess(std::filesystem::path prefix, uint16_t port, std::vector<int> cpus);
  ~RemotedProcess();
  RemotedProcess(const RemotedProcess&) = delete;
  RemotedProcess& operator=(const RemotedProcess&) = delete;

  // Writes client.keys with so many agents, named bench00001 and so on, from any address.
  std::vector<secure::AgentKey> MakeAgents(size_t count);

  // Starts bin/ospatrol-remoted in the foreground and waits until its port is bound. Throws Error.
  void Start();
  // SIGTERM, and waits for the end.
  void Stop();
  // Until its CPU clock stands still, for at most two minutes.
  void WaitUntilIdle() const;

  pid_t pid() const { return pid_; }
  const std::filesystem::path& prefix() const { return prefix_; }
  double CpuSeconds() const;
  size_t Descriptors() const;
  // Numbers of var/run/ospatrol-remoted.state; up to date after Stop().
  std::map<std::string, uint64_t> State() const;
  // Sum of the numbers in log lines that say what was lost.
  uint64_t LostInLog() const;
  // agent-info files that were not written or touched since then: agents that look disconnected.
  size_t SilentSince(std::filesystem::file_time_type since, size_t agents) const;

 private:
  void Empty() const;
  bool HasEnded();

  std::filesystem::path prefix_;
  uint16_t port_;
  std::vector<int> cpus_;
  pid_t pid_ = -1;
};

}  // namespace ospatrol::bench
