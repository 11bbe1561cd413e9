// The daemon: wires the log files to the local queue.
//
// One thread. Wake-ups (inotify, answers, timers) end in Service(): notices first, then one turn
// for each file that may have grown, then the frame goes out. Reading stops while eight frames are
// unanswered and goes on with the next answer.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "config/sections.h"
#include "daemon/daemon.h"
#include "logcollector/file_watcher.h"
#include "logcollector/notices.h"
#include "logcollector/outlet.h"
#include "logcollector/position_store.h"
#include "logcollector/source_set.h"
#include "logcollector/state_file.h"

namespace ospatrol::logcollector {

class Logcollector final : public daemon::Daemon {
 public:
  explicit Logcollector(daemon::Context& context) : context_(context) {}

  void Configure(config::Problems& problems) override;
  void Start() override;
  void Reload(config::Problems& problems) override;
  void Stop() override;

 private:
  struct Settings {
    std::vector<config::LocalFileSection> files;  // those whose format exists
    std::chrono::seconds poll{2};
  };
  Settings Load(config::Problems& problems) const;

  void StartTimers();
  void Connect();
  void ConnectSoon();
  void WatchOutlet();
  void OutletReady();
  void Disconnected();
  void Service();
  void ServiceSoon();
  void Busy();
  void Tick();
  void PumpOutlet();
  void UpdateWriteWatch();
  void KeepAlive();
  void WriteState();
  void Drain();

  daemon::Context& context_;
  Settings settings_;

  std::unique_ptr<PositionStore> store_;
  std::shared_ptr<Notices> notices_;
  std::unique_ptr<FileWatcher> watcher_;
  std::unique_ptr<SourceSet> sources_;
  std::unique_ptr<Outlet> outlet_;
  std::unique_ptr<StateFile> state_file_;
  bool service_posted_ = false;
  base::Seconds started_ = 0;

  daemon::EventLoop::Registration watcher_ready_, outlet_readable_, outlet_writable_;
  daemon::EventLoop::Registration retry_, poll_timer_, keep_alive_timer_, connect_again_;
  daemon::EventLoop::Registration second_timer_, state_timer_;  // only after something happened
};

}  // namespace ospatrol::logcollector
