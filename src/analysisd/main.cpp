// ospatrol-analysisd: judges events and writes alerts. Reads queue/ospatrol/{queue,stream}; rules,
// decoders and lists from below the prefix; writes logs/alerts, logs/archives, logs/firewall.
// SIGHUP reloads, SIGTERM ends in order.
#include <memory>

#include "analysisd/analysisd.h"
#include "daemon/daemon.h"
#include "product/programs.h"

int main(int argc, char** argv) {
  using namespace ospatrol;
  return daemon::Main(argc, argv, programs::kAnalysisd, [](daemon::Context& context) {
    return std::make_unique<analysisd::Analysisd>(context);
  });
}
