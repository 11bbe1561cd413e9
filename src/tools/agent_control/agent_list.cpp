#include "agent_control/agent_list.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "base/text.h"
#include "secure/agent_info.h"
#include "secure/keys_file.h"

namespace ospatrol::agent_control {
namespace {

constexpr size_t kMaxInfo = 64 * 1024;
constexpr size_t kMaxMarker = 4096;
constexpr mode_t kMarkerMode = 0640;
constexpr std::string_view kRootcheckStore = "queue/rootcheck/rootcheck.db";
constexpr std::string_view kAgentless = "queue/agentless";
constexpr int kV4Bits = 32;
constexpr int kAllBits = 128;

// With the length of the network, which client.keys may leave out.
std::string WithLength(const secure::AgentKey& key) {
  if (key.address_text.find('/') != std::string::npos) return key.address_text;
  if (key.address_text.ends_with("any")) return key.address_text + "/0";
  const bool v6 = key.address_text.find(':') != std::string::npos;
  return fmt::format("{}/{}", key.address_text, v6 ? kAllBits : kV4Bits);
}

ConfigurationSums WantedSums(const Home& home, std::string (*digest)(std::string_view)) {
  ConfigurationSums sums;
  if (const auto merged = base::ReadFileIfPresent(home / paths::kMergedFile)) {
    sums.wanted = digest(*merged);
  }
  if (const auto conf = base::ReadFileIfPresent(home / paths::kAgentConf)) {
    sums.wanted_applied = digest(*conf);
  }
  return sums;
}

// "OSSEC HIDS v4.2.0 / <sum>": the sum of the agent's agent.conf.
std::string_view SumInVersion(std::string_view version) {
  const size_t slash = version.rfind(" / ");
  return slash == std::string_view::npos ? std::string_view() : version.substr(slash + 3);
}

// Agents write "x" for a file that they do not have.
std::string ShownSum(std::string_view sum) {
  return sum == "x" ? std::string() : base::EscapeControls(sum);
}

}  // namespace

std::string_view StatusText(Status status) {
  switch (status) {
    case Status::kActive:
      return "Active";
    case Status::kDisconnected:
      return "Disconnected";
    case Status::kNeverConnected:
      break;
  }
  return "Never connected";
}

std::string LocationOf(const Agent& agent) {
  return fmt::format("({}) {}", agent.name, agent.address);
}

AgentList::AgentList(const Home& home) : home_(home) {
  const secure::LoadedKeys loaded = secure::KeysFile(home).Load();
  secure::WriteToLog(loaded.problems);
  const ConfigurationSums md5 = WantedSums(home, base::Md5Hex);
  const ConfigurationSums sha256 = WantedSums(home, base::Sha256Hex);
  agents_.reserve(loaded.keys.size());
  for (const secure::AgentKey& key : loaded.keys.entries()) {
    Agent agent{.id = key.id,
                .name = key.name,
                .address = key.address,
                .address_text = key.address_text,
                .address_full = WithLength(key),
                .heard = {},
                .uname = {},
                .version = {},
                .crypto_method = {},
                .sums = {},
                .maintenance = {}};
    ReadInfo(key, md5, sha256, agent);
    agent.maintenance = ReadMaintenance(&agent);
    agents_.push_back(std::move(agent));
  }
}

void AgentList::ReadInfo(const secure::AgentKey& key, const ConfigurationSums& md5,
                         const ConfigurationSums& sha256, Agent& agent) const {
  const std::filesystem::path file = home_ / paths::kAgentInfo / secure::AgentInfoFile(key);
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0) return;
  agent.heard = facts.st_mtime;
  agent.status =
      base::WallNow() - facts.st_mtime < kActiveFor ? Status::kActive : Status::kDisconnected;
  const auto content = base::ReadFileIfPresent(file, kMaxInfo);
  if (!content) return;
  const secure::AgentInfo info = secure::ParseAgentInfo(*content);
  agent.uname = base::EscapeControls(info.uname);
  agent.version = base::EscapeControls(info.version);
  agent.crypto_method = base::EscapeControls(info.crypto_method);
  agent.sums = agent.crypto_method == "v2" ? sha256 : md5;
  agent.sums.received = ShownSum(secure::AgentInfoValue(*content, "merged_sum"));
  const std::string_view applied = secure::AgentInfoValue(*content, "agent_conf_sum");
  agent.sums.applied = ShownSum(applied.empty() ? SumInVersion(info.version) : applied);
}

const Agent* AgentList::Find(std::string_view id) const {
  auto found = std::ranges::find(agents_, id, &Agent::id);
  if (found == agents_.end()) {
    const auto padded = secure::PaddedId(id);
    if (padded) found = std::ranges::find(agents_, *padded, &Agent::id);
  }
  return found == agents_.end() ? nullptr : &*found;
}

std::vector<std::string> AgentList::Agentless() const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(home_ / kAgentless, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.')) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// analysisd keeps the marks of the scans among the messages of rootcheck.
ScanTimes AgentList::ScansOf(std::string_view location) const {
  ScanTimes times;
  const std::filesystem::path file = home_ / kRootcheckStore;
  if (!std::filesystem::exists(file)) return times;
  base::Database store = base::Database::ReadOnly(file);
  base::Statement statement(store, "SELECT last FROM message WHERE location = ? AND text = ?");
  const std::string full = location.empty() ? "rootcheck" : fmt::format("{}->rootcheck", location);
  const auto find = [&](std::string_view message) -> std::optional<base::Seconds> {
    statement.Bind(1, full).Bind(2, message);
    std::optional<base::Seconds> when;
    if (statement.Step()) when = statement.Integer(0);
    statement.Reset();
    return when;
  };
  times.syscheck_start = find("Starting syscheck scan.");
  times.syscheck_end = find("Ending syscheck scan.");
  times.rootcheck_start = find("Starting rootcheck scan.");
  times.rootcheck_end = find("Ending rootcheck scan.");
  return times;
}

std::filesystem::path AgentList::MarkerOf(const Agent* agent) const {
  return home_ / fmt::format("queue/syscheck/.{}.maint",
                             agent == nullptr ? "syscheck" : LocationOf(*agent));
}

Maintenance AgentList::ReadMaintenance(const Agent* agent) const {
  Maintenance maintenance;
  const std::filesystem::path file = MarkerOf(agent);
  struct stat facts {};
  if (::lstat(file.c_str(), &facts) != 0) return maintenance;
  maintenance.on = true;
  maintenance.enabled_at = facts.st_mtime;
  const auto content = base::ReadFileIfPresent(file, kMaxMarker);
  if (!content) return maintenance;
  for (const std::string_view line : base::Split(*content, '\n')) {
    const size_t equal = line.find('=');
    if (equal == std::string_view::npos) continue;
    const auto value = base::ParseNumber<int64_t>(base::Trim(line.substr(equal + 1)));
    if (!value) continue;
    const std::string_view key = line.substr(0, equal);
    if (key == "enabled_at") maintenance.enabled_at = *value;
    if (key == "pending_end") maintenance.pending_end = *value != 0;
    if (key == "silent_updates") maintenance.silent_updates = *value;
    if (key == "end_requested_at") maintenance.end_requested_at = *value;
  }
  return maintenance;
}

void AgentList::WriteMaintenance(const Agent* agent, const Maintenance& maintenance) const {
  std::string text = fmt::format("#!maint\nenabled_at={}\npending_end={}\nsilent_updates={}\n",
                                 maintenance.enabled_at, maintenance.pending_end ? 1 : 0,
                                 maintenance.silent_updates);
  if (maintenance.end_requested_at != 0) {
    text += fmt::format("end_requested_at={}\n", maintenance.end_requested_at);
  }
  base::WriteFileAtomically(MarkerOf(agent), text, kMarkerMode);
}

void AgentList::RemoveMaintenance(const Agent* agent) const {
  const std::filesystem::path file = MarkerOf(agent);
  if (::unlink(file.c_str()) == 0 || errno == ENOENT) return;
  throw Error(fmt::format("cannot remove '{}': {}", file.string(), base::ErrnoText(errno)));
}

}  // namespace ospatrol::agent_control
