// The daemon: messages in, scripts out, and in time the same scripts with `delete`.
//
// One thread. At most kMostRunning scripts run at once; further requests wait in order, up to
// kMostWaiting, and what takes back waits for what it takes back. A script that runs longer than
// execd.max_runtime gets SIGTERM, five seconds later SIGKILL.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "daemon/daemon.h"
#include "execd/response_table.h"
#include "execd/script.h"
#include "execd/undo_list.h"

namespace ospatrol::execd {

class Execd final : public daemon::Daemon {
 public:
  explicit Execd(daemon::Context& context) : context_(context) {}

  void Configure(config::Problems& problems) override;
  void Start() override;
  void Reload(config::Problems& problems) override;
  void Stop() override;

 private:
  using Clock = Undo::Clock;

  static constexpr size_t kMostRunning = 32;
  static constexpr size_t kMostWaiting = 1024;

  struct Settings {
    bool disabled = false;
    std::chrono::seconds max_runtime{60};
  };
  struct Job {
    std::string executable;
    Action action = Action::kAdd;
    Request request;
  };
  struct Running {
    Job job;
    ScriptRun run;
    Clock::time_point deadline;
    bool warned = false;  // SIGTERM was sent
  };

  Settings Load(config::Problems& problems) const;
  void ReadResponses();
  const Response* FindResponse(const std::string& name);
  void Receive();
  void Take(std::string_view datagram, unsigned sender);
  void Respond(const Response& response, const Request& request);
  void Enqueue(Job job);
  void RunWaiting();
  void RunJob(const Job& job);
  void Reap();
  void Ended(pid_t pid, int status);
  void Due();
  void PlanUndo();
  void StopOverdue();
  void FinishAll();

  daemon::Context& context_;
  Settings settings_;
  ResponseTable responses_;
  std::string responses_stamp_;  // change of ar.conf
  base::Fd socket_;
  std::vector<unsigned> senders_;  // user ids that may ask
  UndoList undos_;
  std::deque<Job> waiting_;
  std::map<pid_t, Running> running_;
  daemon::EventLoop::Registration readable_, child_, undo_timer_, deadline_timer_;
};

}  // namespace ospatrol::execd
