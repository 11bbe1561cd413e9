// What a manager knows of its agents, as the tools tell it (wire-protocol 9.1 to 9.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "product/paths.h"
#include "secure/keys.h"

namespace ospatrol::agent_control {

// Silence for so long: three keep-alive intervals and a little.
inline constexpr base::Seconds kActiveFor = 3 * 600 + 30;

enum class Status { kNeverConnected, kActive, kDisconnected };
std::string_view StatusText(Status status);

// Sums of the shared configuration, hex; empty: not known.
struct ConfigurationSums {
  std::string wanted;    // merged.mg of this manager
  std::string received;  // merged.mg as the agent has it
  std::string applied;   // agent.conf as the agent works with it
  std::string wanted_applied;

  bool in_step() const { return received == wanted && applied == wanted_applied; }
};

// Maintenance of the integrity check (collection-and-integrity 5).
struct Maintenance {
  bool on = false;
  bool pending_end = false;
  int64_t enabled_at = 0;
  int64_t silent_updates = 0;
  int64_t end_requested_at = 0;

  std::string_view Tag() const { return !on ? "" : pending_end ? "Maint(pending-end)" : "Maint"; }
};

struct ScanTimes {
  std::optional<base::Seconds> syscheck_start, syscheck_end, rootcheck_start, rootcheck_end;
};

struct Agent {
  std::string id, name;
  std::string address;       // as the file has it, without "/len"
  std::string address_text;  // as written
  std::string address_full;  // always with "/len"
  Status status = Status::kNeverConnected;
  std::optional<base::Seconds> heard;
  std::string uname, version, crypto_method;
  ConfigurationSums sums;
  Maintenance maintenance;
};

class AgentList {
 public:
  // Reads client.keys and queue/agent-info. Throws Error.
  explicit AgentList(const Home& home);

  const std::vector<Agent>& agents() const { return agents_; }
  // "4" finds "004". Nothing when there is none.
  const Agent* Find(std::string_view id) const;
  // Agentless devices: file names of queue/agentless.
  std::vector<std::string> Agentless() const;
  ScanTimes ScansOf(std::string_view location) const;  // "(name) ip", empty: this machine

  // Queue/syscheck/.NAME.maint; `agent` is null for this machine.
  Maintenance ReadMaintenance(const Agent* agent) const;
  // Throws Error.
  void WriteMaintenance(const Agent* agent, const Maintenance& maintenance) const;
  void RemoveMaintenance(const Agent* agent) const;

 private:
  std::filesystem::path MarkerOf(const Agent* agent) const;
  void ReadInfo(const secure::AgentKey& key, const ConfigurationSums& md5,
                const ConfigurationSums& sha256, Agent& agent) const;

  Home home_;
  std::vector<Agent> agents_;
};

// "(web01) 10.0.0.5": how locations of its events begin.
std::string LocationOf(const Agent& agent);

}  // namespace ospatrol::agent_control
