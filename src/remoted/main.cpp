// ospatrol-remoted - receives events of agents and of syslog senders
//
// SYNOPSIS
//   ospatrol-remoted [-Vhdtf] [-u USER] [-g GROUP] [-c FILE] [-D DIR]
//
// Listens as the <remote> sections of etc/ospatrol.conf say: for agents of etc/client.keys on UDP
// port 1514 (versions 1 and 2 of the protocol, IPv4 and IPv6), for plain syslog on UDP or TCP port
// 514. Hands their events to ospatrol-analysisd over queue/ospatrol/stream. Sends agents the files
// of etc/shared and the requests that arrive on queue/alerts/ar; writes queue/agent-info.
//
// Keys and shared files are watched: a change needs no restart and loses no packet. SIGHUP reads
// the configuration again; ports and addresses need a restart. var/run/ospatrol-remoted.state has
// counters.
//
// Binds its ports as root, then runs as user ospatrolr in a chroot without any capability.

#include <memory>

#include "daemon/daemon.h"
#include "product/programs.h"
#include "remoted/remoted.h"

int main(int argc, char** argv) {
  return ospatrol::daemon::Main(argc, argv, ospatrol::programs::kRemoted, [](auto& context) {
    return std::make_unique<ospatrol::remoted::Remoted>(context);
  });
}
