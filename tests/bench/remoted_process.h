// An installed remoted that a benchmark starts, watches and ends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "installed_daemon.h"
#include "secure/keys.h"

namespace ospatrol::bench {

// What one UDP port holds in the kernel.
struct PortState {
  bool bound = false;
  uint64_t queued_bytes = 0;  // receive buffers in use, as the kernel charges them
  uint64_t dropped = 0;       // since it was bound
};
PortState LookAtPort(uint16_t port);

class RemotedProcess : public InstalledDaemon {
 public:
  // Keys, counters and logs of the prefix are emptied at the start. Throws Error.
  RemotedProcess(std::filesystem::path prefix, uint16_t port, std::vector<int> cpus);

  // Writes client.keys with so many agents, named bench00001 and so on, from any address.
  std::vector<secure::AgentKey> MakeAgents(size_t count);

  // Starts remoted and waits until its port is bound. Throws Error.
  void Start();

  size_t Descriptors() const;
  // Numbers of var/run/ospatrol-remoted.state; up to date after Stop().
  std::map<std::string, uint64_t> State() const;
  // Sum of the numbers in log lines that say what was lost.
  uint64_t LostInLog() const;
  // agent-info files that were not written or touched since then: agents that look disconnected.
  size_t SilentSince(std::filesystem::file_time_type since, size_t agents) const;

 private:
  const uint16_t port_;
};

}  // namespace ospatrol::bench
