// ospatrol-logcollector - reads log files and hands their lines to the local event queue
//
// SYNOPSIS
//   ospatrol-logcollector [-Vhdtf] [-c FILE] [-D DIR]
//
// Reads the files of the <localfile> sections of etc/ospatrol.conf, follows them through rotation
// and truncation, and sends each line to ospatrol-analysisd (on an agent: ospatrol-agentd) over
// queue/ospatrol/stream. How far each file has been read is in queue/logcollector/state.db: a
// restart, also by kill -9, neither loses nor repeats a line.
//
// Runs as user ospatrol with CAP_DAC_READ_SEARCH and nothing else. SIGHUP reads the configuration
// again. var/run/ospatrol-logcollector.state has counters per file.

#include <memory>

#include "daemon/daemon.h"
#include "logcollector/logcollector.h"
#include "product/programs.h"

int main(int argc, char** argv) {
  return ospatrol::daemon::Main(argc, argv, ospatrol::programs::kLogcollector, [](auto& context) {
    return std::make_unique<ospatrol::logcollector::Logcollector>(context);
  });
}
