// ospatrol-monitord - looks after the agents of this manager
//
// SYNOPSIS
//   ospatrol-monitord [-Vhdtf] [-c FILE] [-D DIR] [-u USER] [-g GROUP]
//
// Compares the signs of life in queue/agent-info with what it knew and sends events for agents that
// were lost, came back, were removed or never came. How long an agent may be silent:
// monitord.notify_time; monitord.monitor_agents=0 switches it off.
//
// Runs as user ospatrol in a chroot. SIGHUP reads the configuration again and looks at once.

#include <memory>

#include "daemon/daemon.h"
#include "monitord/monitord.h"
#include "product/programs.h"

int main(int argc, char** argv) {
  return ospatrol::daemon::Main(argc, argv, ospatrol::programs::kMonitord, [](auto& context) {
    return std::make_unique<ospatrol::monitord::Monitord>(context);
  });
}
