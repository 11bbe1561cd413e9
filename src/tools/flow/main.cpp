// ospatrol-flow - what goes in and out at every hop of this machine
//
// Started by `ospatrol-control flow`, which says with -r which daemons run. Reads the state files
// of the daemons (they are replaced every few seconds) and asks the kernel whether the datagram
// queue is full. Changes nothing. Exit status 0, or 1 when no daemon has left figures.
#include <fcntl.h>
#include <fmt/format.h>
#include <getopt.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "flow/flow_table.h"
#include "ipc/unix_socket.h"
#include "product/install_prefix.h"
#include "product/paths.h"
#include "product/product.h"

namespace ospatrol::flow {
namespace {

constexpr size_t kMaxState = size_t{8} << 20;  // bytes; every log file has some lines in it
constexpr const char* kQueueLimit = "/proc/sys/net/unix/max_dgram_qlen";

struct Options {
  std::filesystem::path prefix = product::InstallPrefix();
  std::string running;  // names, with blanks between them
};

std::optional<Options> ParseOptions(int argc, char** argv, int& status) {
  Options options;
  for (int flag; (flag = getopt(argc, argv, "hD:r:")) != -1;) {
    switch (flag) {
      case 'D':
        options.prefix = optarg;
        break;
      case 'r':
        options.running = optarg;
        break;
      default:
        fmt::print(stderr,
                   "usage: ospatrol-flow [-D DIR] [-r \"DAEMON...\"]\n"
                   "  -D DIR  prefix of the installation (default {})\n"
                   "  -r      names of the daemons that run\n",
                   product::InstallPrefix().native());
        status = flag == 'h' ? 0 : 1;
        return std::nullopt;
    }
  }
  return options;
}

Daemon Look(const Home& home, const std::string& name, std::string_view running) {
  Daemon daemon;
  daemon.name = name;
  for (const std::string_view other : base::SplitWords(running, " ")) {
    daemon.runs = daemon.runs || other == name;
  }
  const std::filesystem::path path = home / fmt::format("{}/{}.state", paths::kRun, name);
  struct stat facts {};
  // A link could lead anywhere, and service users may put one there.
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return daemon;
  try {
    const auto text = base::ReadFileIfPresent(path, kMaxState);
    if (!text) return daemon;
    daemon.state.emplace(*text);
    daemon.written = facts.st_mtim.tv_sec;
  } catch (const Error& error) {
    fmt::print(stderr, "ospatrol-flow: {}\n", error.what());
  }
  return daemon;
}

Queue LookAtQueue(const Home& home) {
  Queue queue;
  try {
    const auto limit = base::ReadFileIfPresent(kQueueLimit, 64);
    if (limit) queue.limit = base::ParseNumber<uint64_t>(base::Trim(*limit)).value_or(0);
  } catch (const Error&) {
    queue.limit = 0;  // not shown
  }
  queue.fill = ipc::LookAtQueue(home / paths::kEventQueue);
  return queue;
}

int Main(int argc, char** argv) {
  int status = 0;
  const auto options = ParseOptions(argc, argv, status);
  if (!options) return status;
  const Home home(options->prefix);
  const Machine machine{Look(home, "ospatrol-logcollector", options->running),
                        Look(home, "ospatrol-analysisd", options->running), LookAtQueue(home)};
  const std::string text = Render(machine, base::WallNow());
  std::fwrite(text.data(), 1, text.size(), stdout);
  return machine.collector.state || machine.analysisd.state ? 0 : 1;
}

}  // namespace
}  // namespace ospatrol::flow

int main(int argc, char** argv) {
  try {
    return ospatrol::flow::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "ospatrol-flow: {}\n", error.what());
    return 1;
  }
}
