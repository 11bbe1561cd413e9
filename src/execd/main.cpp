// ospatrol-execd - runs response scripts
//
// SYNOPSIS
//   ospatrol-execd [-Vhdtf] [-c FILE] [-D DIR] [-g GROUP]
//
// Takes requests from queue/alerts/execq: on a manager those of ospatrol-analysisd, on an agent
// those that the manager sent. Runs the named file of active-response/bin with `add`, and when the
// time that etc/shared/ar.conf gives is over, or when the program ends, again with `delete`.
//
// Runs as root, because the scripts need it. A section <active-response><disabled>yes without a
// command ends it. SIGHUP reads the configuration again.

#include <memory>

#include "daemon/daemon.h"
#include "execd/execd.h"
#include "product/programs.h"

int main(int argc, char** argv) {
  return ospatrol::daemon::Main(argc, argv, ospatrol::programs::kExecd, [](auto& context) {
    return std::make_unique<ospatrol::execd::Execd>(context);
  });
}
