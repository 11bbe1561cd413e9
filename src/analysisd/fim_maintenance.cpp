#include "analysisd/fim_maintenance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr auto kOnIsKnownFor = std::chrono::seconds(2);
constexpr base::Seconds kHour = 3600;
constexpr base::Seconds kLong = 24 * kHour;
constexpr size_t kMaxMarker = 4096;
constexpr std::string_view kFirstLine = "#!maint";
constexpr std::string_view kManager = "syscheck";

// "(web1) 10.0.0.5->syscheck" is "(web1) 10.0.0.5"; the manager itself is "syscheck".
std::string AgentOf(std::string_view location) {
  const size_t arrow = location.find("->");
  if (arrow == std::string_view::npos) return std::string(kManager);
  std::string agent(location.substr(0, std::min<size_t>(arrow, 240)));
  std::replace(agent.begin(), agent.end(), '/', '_');
  return agent;
}

bool IsFileScan(std::string_view location) {
  return location == kManager || location.ends_with("->syscheck");
}

std::string ListTime(base::Seconds time) {
  const std::tm local = base::LocalTime(time);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

}  // namespace

FimMaintenance::FimMaintenance(const Home& home)
    : directory_(home / "queue/syscheck"), list_file_(home / "logs/fim_maintenance.log") {}

std::filesystem::path FimMaintenance::MarkerOf(std::string_view agent) const {
  return directory_ / fmt::format(".{}.maint", agent);
}

std::optional<FimMaintenance::Marker> FimMaintenance::Read(std::string_view agent) const {
  const std::filesystem::path path = MarkerOf(agent);
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  Marker marker;
  marker.enabled_at = facts.st_mtime;
  std::optional<std::string> content;
  try {
    content = base::ReadFileIfPresent(path, kMaxMarker);
  } catch (const Error&) {
    return marker;  // that it exists is enough
  }
  if (!content) return std::nullopt;
  for (const std::string_view line : base::Split(*content, '\n')) {
    const size_t equal = line.find('=');
    if (equal == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equal);
    const auto value = base::ParseNumber<int64_t>(base::Trim(line.substr(equal + 1)));
    if (!value || *value < 0) continue;
    if (key == "enabled_at") marker.enabled_at = *value;
    if (key == "end_requested_at") marker.end_requested_at = *value;
    if (key == "pending_end") marker.pending_end = *value != 0;
    if (key == "silent_updates") marker.silent_updates = static_cast<uint64_t>(*value);
  }
  return marker;
}

void FimMaintenance::CheckMarker(const std::string& name, Agent& agent, base::Seconds time) const {
  const auto now = base::MonotonicNow();
  if (agent.on && now - agent.checked < kOnIsKnownFor) return;
  const std::optional<Marker> marker = Read(name);
  if (marker && !agent.on) log::Write<msg::kMaintenanceOn>(name);
  if (!marker && agent.on) log::Write<msg::kMaintenanceOff>(name);
  agent.on = marker.has_value();
  agent.checked = now;
  if (!marker) return;
  agent.enabled_at = marker->enabled_at;
  const base::Seconds duration = time - agent.enabled_at;
  if (duration >= kLong && time - agent.warned_at >= kHour) {
    agent.warned_at = time;
    log::Write<msg::kMaintenanceStillOn>(name, duration / kHour);
  }
}

bool FimMaintenance::Accept(std::string_view location, std::string_view kind, std::string_view name,
                            base::Seconds time) {
  const std::string agent_name = AgentOf(location);
  Agent& agent = agents_[agent_name];
  CheckMarker(agent_name, agent, time);
  if (!agent.on) return false;
  ++agent.uncounted;
  lines_ += fmt::format("{} {} {} {}\n", ListTime(time), base::EscapeControls(location), kind,
                        base::EscapeControls(name));
  return true;
}

void FimMaintenance::ScanStarted(std::string_view location, base::Seconds time) {
  agents_[AgentOf(location)].scan_started = time;
}

void FimMaintenance::BaselineCompleted(std::string_view location) {
  if (!IsFileScan(location)) return;
  const std::string name = AgentOf(location);
  const std::optional<Marker> marker = Read(name);
  if (!marker || !marker->pending_end) return;
  Agent& agent = agents_[name];
  if (agent.scan_started < marker->end_requested_at) return;
  agent.on = false;
  ended_.emplace_back(location);
}

// In place: a marker that a tool removes meanwhile must not come back. What was read before a write
// that failed half-way is what the next one begins with.
void FimMaintenance::CountInMarker(const std::string& name, Agent& agent) const {
  const std::optional<Marker> marker = agent.half_written ? agent.half_written : Read(name);
  const base::Fd file = base::OpenFile(MarkerOf(name), O_WRONLY | O_NOFOLLOW);
  if (!marker || !file) {
    agent.uncounted = 0;
    agent.half_written.reset();
    return;
  }
  std::string text = fmt::format("{}\nenabled_at={}\npending_end={}\nsilent_updates={}\n",
                                 kFirstLine, marker->enabled_at, marker->pending_end ? 1 : 0,
                                 marker->silent_updates + agent.uncounted);
  if (marker->end_requested_at > 0) {
    text += fmt::format("end_requested_at={}\n", marker->end_requested_at);
  }
  if (!base::WriteAll(file.get(), text) ||
      ::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0) {
    agent.half_written = marker;
    throw Error(
        fmt::format("{}: cannot write: {}", MarkerOf(name).native(), base::ErrnoText(errno)));
  }
  agent.uncounted = 0;
  agent.half_written.reset();
}

// Counts of a marker may be left behind when their lines are written.
bool FimMaintenance::HasChanges() const {
  return !lines_.empty() || !ended_.empty() ||
         std::any_of(agents_.begin(), agents_.end(),
                     [](const auto& item) { return item.second.uncounted > 0; });
}

void FimMaintenance::Commit() {
  if (!HasChanges()) return;
  if (!lines_.empty()) {
    if (!list_ || !list_->IsAt(list_file_)) {
      list_ = GroupFile::Open(list_file_, GroupFile::RecordEnd::kLineFeed);
    }
    if (!list_ || !list_->Append(lines_)) {
      throw Error(fmt::format("{}: cannot write: {}", list_file_.native(), base::ErrnoText(errno)));
    }
    lines_.clear();
  }
  for (auto& [name, agent] : agents_) {
    if (agent.uncounted > 0) CountInMarker(name, agent);
  }
  for (const std::string& location : ended_) {
    ::unlink(MarkerOf(AgentOf(location)).c_str());
    log::Write<msg::kMaintenanceEnded>(location);
  }
  ended_.clear();
}

}  // namespace ospatrol::analysisd
