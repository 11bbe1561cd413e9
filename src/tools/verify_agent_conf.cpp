// verify-agent-conf - checks the configuration that a manager gives its agents
//
// SYNOPSIS
//   verify-agent-conf [-D DIR] [-f FILE]
//
// FILE is etc/shared/agent.conf when it is not given. Says for each fault where it is and what was
// expected, then OK or the number of problems. Exit status 0, or 255 when there is one.
#include <fmt/format.h>
#include <getopt.h>

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "config/agent_conf.h"
#include "config/dialect.h"
#include "daemon/flags.h"
#include "log/log.h"
#include "product/install_prefix.h"
#include "product/paths.h"
#include "product/product.h"

namespace ospatrol {
namespace {

constexpr int kBad = 255;

constexpr const char* kHelp =
    "\nverify-agent-conf: checks the configuration for agents\n"
    "  -h       this help\n"
    "  -V       version\n"
    "  -D DIR   prefix of the installation\n"
    "  -f FILE  file to check (default etc/shared/agent.conf)\n"
    "  -d       debug\n";

int Verify(const Home& home, const std::filesystem::path& file) {
  log::Configure("verify-agent-conf", home / paths::kLog, true);
  fmt::print("\nverify-agent-conf: Verifying [{}].\n\n", file.string());
  std::fflush(stdout);
  config::Problems problems;
  if (const auto text = base::ReadFileIfPresent(file)) {
    config::CheckAgentConf(config::ParseDialect(*text, file.string(), problems), problems);
  } else {
    problems.Error(msg::kAgentConfRead.id, file.string(), 0, "the file is missing",
                   "create it, or name another one with -f");
  }
  size_t count = 0;
  for (const config::Problem& problem : problems.all()) {
    const bool is_problem = problem.kind != config::Problem::Kind::kInfo;
    log::WriteLine(problem.id, is_problem ? log::Level::kError : log::Level::kInfo, problem.Line());
    count += is_problem ? 1 : 0;
  }
  if (count == 0) {
    fmt::print("OK\n");
  } else {
    fmt::print("{} problems\n", count);
  }
  return count == 0 ? 0 : kBad;
}

int Main(int argc, char** argv) {
  Home home{product::InstallPrefix()};
  std::filesystem::path file;
  for (int flag; (flag = getopt(argc, argv, "hVdD:f:")) != -1;) {
    switch (flag) {
      case 'D':
        home = Home(optarg);
        break;
      case 'f':
        file = optarg;
        break;
      case 'd':
        log::SetDebugLevel(log::DebugLevel() + 1);
        break;
      case 'V':
        fmt::print(stderr, "{}", daemon::VersionText());
        return 0;
      default:
        fmt::print(stderr, "{}", kHelp);
        return flag == 'h' ? 0 : 1;
    }
  }
  if (optind < argc) {
    fmt::print(stderr, "verify-agent-conf: unexpected argument '{}'; a file is named with -f\n{}",
               argv[optind], kHelp);
    return 1;
  }
  return Verify(home, file.empty() ? home / paths::kAgentConf : file);
}

}  // namespace
}  // namespace ospatrol

int main(int argc, char** argv) {
  try {
    return ospatrol::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "verify-agent-conf: ERROR: {}\n", error.what());
    return ospatrol::kBad;
  }
}
