#include "monitord/monitord.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/files.h"
#include "base/time.h"
#include "config/configuration.h"
#include "config/internal_options.h"
#include "ipc/queue_message.h"
#include "log/log.h"
#include "product/shown_path.h"
#include "secure/agent_info.h"
#include "secure/keys.h"

namespace ospatrol::monitord {
namespace {

using std::chrono::seconds;

constexpr seconds kTick{5};
constexpr seconds kLookInterval{30};
constexpr mode_t kStateMode = 0640;
constexpr size_t kMostChanges = 500;  // so many surely fit into one frame
constexpr std::string_view kLocation = "ossec-monitord";

std::string Message(const AgentWatch::Change& change) {
  return ipc::FormatQueueMessage(ipc::Kind::kLog, fmt::format("{}->{}", change.label, kLocation),
                                 EventText(change));
}

}  // namespace

Monitord::Settings Monitord::Load(config::Problems& problems) const {
  const daemon::Options& command_line = context_.options();
  config::LoadConfiguration(command_line.configuration,
                            product::ShownPath(command_line.configuration, command_line.prefix),
                            config::Reader::kMonitord, problems);
  const auto options =
      config::InternalOptions::Load(context_.home(), problems, context_.program().name);
  return {.watch_agents = options.Get("monitord.monitor_agents") != 0,
          .notify_time = seconds(options.Get("monitord.notify_time"))};
}

void Monitord::Configure(config::Problems& problems) { settings_ = Load(problems); }

void Monitord::Start() {
  const Home& home = context_.home();
  agents_ = std::make_unique<AgentWatch>(settings_.limit(), settings_.settle());
  saved_ = base::ReadFileIfPresent(home / paths::kWatchedAgents).value_or("");
  agents_->Restore(saved_);
  sender_ = std::make_unique<EventSender>(home / paths::kEventStream, [this] { SaveState(); });
  sender_->Restore(saved_);
  timer_ = context_.loop().Every(kTick, [this] { Tick(); });
  WatchSender();
}

void Monitord::Reload(config::Problems& problems) {
  const Settings settings = Load(problems);
  if (problems.error_count() > 0) return;
  settings_ = settings;
  agents_->SetLimits(settings_.limit(), settings_.settle());
  next_look_ = {};
}

void Monitord::Stop() {
  timer_.reset();
  readable_.reset();
  sender_->Pump();
}

void Monitord::Tick() {
  sender_->Pump();
  WatchSender();
  if (!settings_.watch_agents || !sender_->idle() || base::MonotonicNow() < next_look_) return;
  next_look_ = base::MonotonicNow() + kLookInterval;
  Look();
  WatchSender();
}

// What is found is on disk before it goes out: after a crash it is sent again under its numbers, so
// that nothing is told twice or never.
void Monitord::Look() {
  const auto changes = agents_->Look(Agents(), base::WallNow(), base::MonotonicNow(), kMostChanges);
  if (changes.size() == kMostChanges) next_look_ = {};
  std::vector<std::string> messages;
  for (const AgentWatch::Change& change : changes) messages.push_back(Message(change));
  sender_->Send(std::move(messages));
  SaveState();
  sender_->Pump();
}

void Monitord::SaveState() {
  std::string text = sender_->Save() + agents_->Save();
  if (text == saved_) return;
  try {
    base::WriteFileAtomically(context_.home() / paths::kWatchedAgents, text, kStateMode);
    saved_ = std::move(text);
  } catch (const Error& error) {
    log::Write<msg::kWatchedAgentsNotSaved>(error.what());
  }
}

void Monitord::WatchSender() {
  if (sender_->fd() == watched_fd_) return;
  watched_fd_ = sender_->fd();
  readable_.reset();
  if (watched_fd_ < 0) return;
  readable_ = context_.loop().WatchReadable(watched_fd_, [this] {
    sender_->Pump();
    if (sender_->fd() != watched_fd_) context_.loop().Post([this] { WatchSender(); });
  });
}

std::vector<AgentWatch::Agent> Monitord::Agents() const {
  std::vector<AgentWatch::Agent> agents;
  const auto text = base::ReadFileIfPresent(context_.home() / paths::kClientKeys);
  if (!text) return agents;
  std::vector<secure::KeyProblem> problems;  // remoted tells them
  const secure::KeyTable keys = secure::ParseKeys(*text, problems);
  const std::filesystem::path directory = context_.home() / paths::kAgentInfo;
  for (const secure::AgentKey& key : keys.entries()) {
    AgentWatch::Agent agent{.label = secure::AgentInfoFile(key), .heard = {}};
    struct stat facts {};
    if (::stat((directory / agent.label).c_str(), &facts) == 0) agent.heard = facts.st_mtime;
    agents.push_back(std::move(agent));
  }
  return agents;
}

}  // namespace ospatrol::monitord
