#include "authd/enroller.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "log/log.h"
#include "secure/agent_info.h"

namespace ospatrol::authd {

namespace {

constexpr uint32_t kLastId = 99'999'999;
constexpr mode_t kBackupMode = 0750;
constexpr mode_t kBackupFileMode = 0640;

using Outcome = Enrolment::Outcome;

Enrolment Refused(Outcome outcome, std::string text) {
  return {.outcome = outcome, .agent = {}, .text = std::move(text), .replaced = {}};
}

std::string InfoFile(const std::string& name, const std::string& address) {
  return fmt::format("{}/{}-{}", paths::kAgentInfo, name, address);
}

}  // namespace

Enroller::Enroller(const Home& home, const Settings& settings)
    : home_(home), settings_(settings), file_(home), watch_(file_.path()) {}

void Enroller::SetSettings(const Settings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
}

Enrolment Enroller::Enrol(std::string_view name, const secure::PeerAddress& source,
                          base::Seconds now) {
  if (const auto fault = secure::NameFault(name)) return Refused(Outcome::kBadName, *fault);
  const std::lock_guard lock(mutex_);
  try {
    return EnrolLocked(name, source, now);
  } catch (const std::exception& error) {
    return Refused(Outcome::kFailed, error.what());
  }
}

Enrolment Enroller::EnrolLocked(std::string_view name, const secure::PeerAddress& source,
                                base::Seconds now) {
  const secure::KeysLock lock = file_.Lock();
  Refresh();
  Enrolment enrolment;

  const auto at_address = index_.by_address.find(source.ip);
  if (at_address != index_.by_address.end()) {
    const Known known = at_address->second;
    if (!MakesRoom(known, now)) return Refused(Outcome::kAddressTaken, known.id);
    Retire(lock, known, now);
    enrolment.replaced = known.id;
  }
  const auto with_name = index_.by_name.find(std::string(name));
  if (with_name != index_.by_name.end() && MakesRoom(with_name->second, now)) {
    const Known known = with_name->second;
    Retire(lock, known, now);
    enrolment.replaced = known.id;
  }

  const auto free_name = FreeName(name);
  if (!free_name) {
    return Refused(Outcome::kBadName,
                   fmt::format("it and all names up to {}{} are taken", name, kLastNameNumber));
  }
  if (index_.agents >= settings_.max_agents) {
    return Refused(Outcome::kFailed, fmt::format("there are {} agents; remoted.max_agents is {}",
                                                 index_.agents, settings_.max_agents));
  }
  const auto id = TakeId();
  if (!id) return Refused(Outcome::kFailed, "all ids of eight digits are taken");

  const std::string address = settings_.source_address ? source.IpText() : "any";
  enrolment.agent = secure::MakeAgentKey(*id, *free_name, address, secure::MakeKey());
  file_.Append(lock, {&*enrolment.agent, 1});
  Remember(*enrolment.agent);
  watch_.Changed();  // our own change
  enrolment.outcome = Outcome::kAdded;
  return enrolment;
}

// Other programs add and remove agents too.
void Enroller::Refresh() {
  if (!watch_.Changed()) return;
  const secure::LoadedKeys loaded = file_.Load();
  secure::WriteToLog(loaded.problems);
  index_ = Index();
  for (const secure::AgentKey& agent : loaded.keys.entries()) Remember(agent);
  for (const std::string& id : loaded.keys.removed_ids()) {
    if (const auto number = base::ParseNumber<uint32_t>(id)) index_.ids.insert(*number);
  }
}

void Enroller::Remember(const secure::AgentKey& agent) {
  const Known known{.id = agent.id, .name = agent.name, .address = agent.address};
  index_.by_name.emplace(agent.name, known);
  if (!agent.rule.NeedsId()) index_.by_address.emplace(agent.rule.network.address, known);
  if (const auto number = base::ParseNumber<uint32_t>(agent.id)) index_.ids.insert(*number);
  ++index_.agents;
}

std::optional<std::string> Enroller::FreeName(std::string_view name) const {
  std::string candidate(name);
  for (int number = 2; index_.by_name.contains(candidate); ++number) {
    if (number > kLastNameNumber) return std::nullopt;
    candidate = fmt::format("{}{}", name, number);
    if (secure::NameFault(candidate)) return std::nullopt;
  }
  return candidate;
}

std::optional<std::string> Enroller::TakeId() {
  while (index_.ids.contains(index_.next_id)) ++index_.next_id;
  if (index_.next_id > kLastId) return std::nullopt;
  return fmt::format("{}", index_.next_id);
}

bool Enroller::MakesRoom(const Known& known, base::Seconds now) const {
  if (!settings_.force_after) return false;
  struct stat facts {};
  if (stat((home_ / InfoFile(known.name, known.address)).c_str(), &facts) != 0) return true;
  return now - facts.st_mtim.tv_sec >= settings_.force_after->count();
}

// What is known of the agent is kept below backup/agents before its key goes.
void Enroller::Retire(const secure::KeysLock& lock, const Known& known, base::Seconds now) {
  const std::tm time = base::LocalTime(now);
  const std::string folder = fmt::format(
      "backup/agents/{}-{}-{:04}-{:02}-{:02}-{:02}{:02}{:02}", known.name, known.address,
      time.tm_year + 1900, time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec);
  const auto info = base::ReadFileIfPresent(home_ / InfoFile(known.name, known.address));
  if (info) {
    base::MakeDirectories(home_ / folder, kBackupMode);
    base::WriteFileAtomically(home_ / folder / "agent-info", *info, kBackupFileMode);
  }
  file_.Remove(lock, known.id);
  Refresh();
}

}  // namespace ospatrol::authd
