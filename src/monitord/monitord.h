// The daemon: looks after the agents of this manager (agent_watch.h).
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "daemon/daemon.h"
#include "monitord/agent_watch.h"
#include "monitord/event_sender.h"

namespace ospatrol::monitord {

class Monitord final : public daemon::Daemon {
 public:
  explicit Monitord(daemon::Context& context) : context_(context) {}

  void Configure(config::Problems& problems) override;
  void Start() override;
  void Reload(config::Problems& problems) override;
  void Stop() override;

 private:
  struct Settings {
    bool watch_agents = true;
    std::chrono::seconds notify_time{600};

    std::chrono::seconds limit() const { return 3 * notify_time + kSlack; }
    std::chrono::seconds settle() const { return notify_time + kSlack; }
    static constexpr std::chrono::seconds kSlack{30};
  };

  Settings Load(config::Problems& problems) const;
  void Tick();
  void Look();
  void SaveState();
  void WatchSender();
  std::vector<AgentWatch::Agent> Agents() const;

  daemon::Context& context_;
  Settings settings_;
  std::unique_ptr<AgentWatch> agents_;
  std::unique_ptr<EventSender> sender_;
  std::string saved_;  // content of the state file
  int watched_fd_ = -1;
  std::chrono::steady_clock::time_point next_look_{};
  daemon::EventLoop::Registration timer_, readable_;
};

}  // namespace ospatrol::monitord
