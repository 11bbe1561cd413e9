// Tells when somebody else changes what the manager controls on this host: etc/shared and
// ospatrol.conf. inotify says when to look; SharedFiles knows what belongs there.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agentd/change_notices.h"
#include "agentd/shared_files.h"
#include "base/fd.h"
#include "daemon/event_loop.h"
#include "product/paths.h"

namespace ospatrol::agentd {

class TamperWatch {
 public:
  struct Hooks {
    std::function<void(std::string text)> report;  // an event: text behind "1:ossec:"
    std::function<void()> looked;                  // after each look: the keys may have changed too
  };
  // Both references outlive it.
  TamperWatch(daemon::EventLoop& loop, SharedFiles& files, Hooks hooks);
  ~TamperWatch();

  // Looks now, for what happened while nobody looked, and whenever something happens.
  void Start(const Home& home);
  void Look();
  // Looks once more and tells what was held back.
  void Stop();

 private:
  void Watch(const Home& home);
  void Readable();
  void Tell(const std::vector<std::string>& texts);
  void TellDue();

  daemon::EventLoop& loop_;
  SharedFiles& files_;
  Hooks hooks_;
  base::Fd inotify_;
  daemon::EventLoop::Registration readable_, soon_, regular_, held_;
  ChangeNotices notices_;
};

}  // namespace ospatrol::agentd
