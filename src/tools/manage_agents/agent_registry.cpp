#include "manage_agents/agent_registry.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "ipc/datagram.h"
#include "ipc/queue_message.h"
#include "product/product.h"
#include "secure/agent_info.h"

namespace ospatrol::manage_agents {
namespace {

constexpr mode_t kBackupMode = 0750;
constexpr int kQueueWait = 1000;  // ms

// What belongs to an agent besides its key; {} stands for "(NAME) IP" or, in agent-info, "NAME-IP".
struct StateFile {
  std::string_view path;    // below the prefix
  std::string_view backup;  // name in the backup; empty: not kept
};
constexpr StateFile kStateFiles[] = {
    {"queue/syscheck/{}->syscheck", "syscheck"},
    {"queue/syscheck/.{}->syscheck.cpt", "syscheck.cpt"},
    {"queue/syscheck/{}->syscheck-registry", "syscheck-registry"},
    {"queue/syscheck/.{}->syscheck-registry.cpt", "syscheck-registry.cpt"},
    {"queue/syscheck/.{}.maint", ""},
    {"queue/rootcheck/{}->rootcheck", "rootcheck"},
};

std::string StatePath(const StateFile& file, const secure::AgentKey& agent) {
  return base::ReplaceAll(file.path, "{}", fmt::format("({}) {}", agent.name, agent.address));
}

std::string BackupName(const secure::AgentKey& agent) {
  const std::tm when = base::LocalTime(base::WallNow());
  return fmt::format("{}-{:04}-{:02}-{:02}-{:02}{:02}{:02}", secure::AgentInfoFile(agent),
                     when.tm_year + 1900, when.tm_mon + 1, when.tm_mday, when.tm_hour, when.tm_min,
                     when.tm_sec);
}

AgentRegistry::Added Failed(AgentRegistry::Added::Fault fault, const std::string& id = {}) {
  AgentRegistry::Added added;
  added.fault = fault;
  added.id = id;
  return added;
}

// Last sign of life; nothing when it was never heard.
std::optional<base::Seconds> LastHeard(const Home& home, const secure::AgentKey& agent) {
  struct stat facts {};
  const auto path = home / paths::kAgentInfo / secure::AgentInfoFile(agent);
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return facts.st_mtime;
}

}  // namespace

const secure::AgentKey* FindSameAddress(const secure::KeyTable& keys, std::string_view address) {
  const auto rule = secure::AddressRule::Parse(address);
  if (!rule || rule->NeedsId()) return nullptr;
  const auto same = std::ranges::find_if(keys.entries(), [&](const secure::AgentKey& other) {
    return !other.rule.NeedsId() && other.rule.network.address == rule->network.address;
  });
  return same == keys.entries().end() ? nullptr : &*same;
}

secure::KeyTable AgentRegistry::Load() const {
  secure::LoadedKeys loaded = file_.Load();
  secure::WriteToLog(loaded.problems);
  return std::move(loaded.keys);
}

AgentRegistry::Added AgentRegistry::Add(const NewAgent& wanted) {
  using Fault = Added::Fault;
  if (secure::NameFault(wanted.name)) return Failed(Fault::kName);
  if (secure::AddressFault(wanted.address)) return Failed(Fault::kAddress);
  const secure::KeysLock lock = file_.Lock();
  secure::KeyTable keys = Load();
  Added added;
  if (keys.FindByName(wanted.name) != nullptr) return Failed(Fault::kNameTaken);
  if (const secure::AgentKey* other = FindSameAddress(keys, wanted.address)) {
    const auto heard = LastHeard(home_, *other);
    const bool silent = wanted.replace_after &&
                        (!heard || base::WallNow() - *heard >= wanted.replace_after->count());
    if (!silent) return Failed(Fault::kAddressTaken, other->id);
    added.replaced = other->id;
  }
  const auto id = wanted.id.empty() ? secure::SuggestedId(keys) : secure::PaddedId(wanted.id);
  if (!id) return Failed(Fault::kId);
  if (keys.IsTaken(*id)) return Failed(Fault::kIdTaken, *id);
  if (!added.replaced.empty()) Forget(lock, keys, added.replaced);
  const auto agent = secure::MakeAgentKey(*id, wanted.name, wanted.address, secure::MakeKey());
  if (!agent) return Failed(Fault::kAddress);
  file_.Append(lock, std::span(&*agent, 1));
  added.id = *id;
  return added;
}

bool AgentRegistry::Remove(const std::string& id) {
  const secure::KeysLock lock = file_.Lock();
  return Forget(lock, Load(), id);
}

bool AgentRegistry::Forget(const secure::KeysLock& lock, const secure::KeyTable& keys,
                           const std::string& id) {
  const secure::AgentKey* agent = keys.Find(id);
  if (agent == nullptr) return false;
  BackUp(*agent);
  if (!file_.Remove(lock, id)) return false;
  DeleteState(*agent);
  return true;
}

// Hard links: nothing is read or copied, and what a daemon still writes is in it too.
void AgentRegistry::BackUp(const secure::AgentKey& agent) const {
  const std::filesystem::path directory = home_ / paths::kBackupAgents / BackupName(agent);
  const auto keep = [&](const std::filesystem::path& file, std::string_view name) {
    struct stat facts {};
    if (::lstat(file.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return;
    base::MakeDirectories(directory, kBackupMode);
    if (::linkat(AT_FDCWD, file.c_str(), AT_FDCWD, (directory / name).c_str(), 0) != 0 &&
        errno != EEXIST) {
      throw Error(fmt::format("cannot back up '{}': {}", file.string(), base::ErrnoText(errno)));
    }
  };
  keep(home_ / paths::kAgentInfo / secure::AgentInfoFile(agent), "agent-info");
  for (const StateFile& file : kStateFiles) {
    if (!file.backup.empty()) keep(home_ / StatePath(file, agent), file.backup);
  }
}

void AgentRegistry::DeleteState(const secure::AgentKey& agent) const {
  ::unlink((home_ / paths::kAgentInfo / secure::AgentInfoFile(agent)).c_str());
  ::unlink((home_ / paths::kCounters / agent.id).c_str());
  for (const StateFile& file : kStateFiles) ::unlink((home_ / StatePath(file, agent)).c_str());
}

void AgentRegistry::Import(const secure::AgentKey& agent) {
  const secure::KeysLock lock = file_.Lock();
  file_.ReplaceAll(lock, std::span(&agent, 1));
}

void AgentRegistry::ReportDuplicate(std::string_view address) const {
  ipc::DatagramSender queue(home_ / paths::kEventQueue);
  if (!queue.Connect()) return;
  queue.Send(ipc::FormatQueueMessage(ipc::Kind::kLog, "manage_agents",
                                     fmt::format("ossec: Duplicated IP {}", address)),
             kQueueWait);
}

}  // namespace ospatrol::manage_agents
