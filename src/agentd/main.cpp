// ospatrol-agentd - hands the events of this host to a manager
//
// SYNOPSIS
//   ospatrol-agentd [-Vhdtf] [-u USER] [-g GROUP] [-c FILE] [-D DIR]
//
// Takes events from ospatrol-logcollector and ospatrol-syscheckd over queue/ospatrol/stream and
// queue/ospatrol/queue, keeps them in queue/spool, and sends them to one of the managers of the
// <client> section, with the key in etc/client.keys. Nothing is lost while no manager answers, and
// kill -9 loses nothing.
//
// Receives shared files into etc/shared, passes responses to ospatrol-execd, and tells the manager
// when somebody else changes what it controls here.
//
// Runs as user ospatrol in a chroot, without capabilities. SIGHUP reads the configuration again.
// var/run/ospatrol-agentd.state has counters.

#include <memory>

#include "agentd/agentd.h"
#include "daemon/daemon.h"
#include "product/programs.h"

int main(int argc, char** argv) {
  return ospatrol::daemon::Main(argc, argv, ospatrol::programs::kAgentd, [](auto& context) {
    return std::make_unique<ospatrol::agentd::Agentd>(context);
  });
}
