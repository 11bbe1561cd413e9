// list_agents - agents of this manager, one line each
//
// SYNOPSIS
//   list_agents [-D DIR] -a | -c | -n
//
// -a those that were ever heard, -c those that are connected, -n those that are not. Agents without
// a key are left out. Exit status 0, or 1 for wrong arguments.
#include <fmt/format.h>
#include <getopt.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "agent_control/agent_list.h"
#include "daemon/privileges.h"
#include "log/log.h"
#include "product/install_prefix.h"
#include "product/programs.h"

namespace ospatrol::agent_control {
namespace {

constexpr Program kProgram{.name = "list_agents",
                           .user = product::kUser,
                           .chroot = true,
                           .keep_caps = programs::kNoCapabilities,
                           .no_new_privileges = true};

constexpr const char* kHelp =
    "\nlist_agents: agents of this manager\n"
    "  -h      this help\n"
    "  -D DIR  prefix of the installation\n"
    "  -a      all that were ever heard\n"
    "  -c      connected\n"
    "  -n      not connected\n";

int List(char which, Home home) {
  if (::geteuid() == 0) {
    daemon::BecomeProgram(
        kProgram, daemon::LookUpIdentity(std::string(product::kUser), std::string(product::kGroup)),
        home.prefix());
    home = Home("/");
  }
  log::Configure("list_agents", home / paths::kLog, false);
  const AgentList list(home);
  const std::string_view words = which == 'a'   ? "is available."
                                 : which == 'c' ? "is active."
                                                : "is not active.";
  bool any = false;
  for (const Agent& agent : list.agents()) {
    if (!agent.heard) continue;
    if (which != 'a' && (agent.status == Status::kActive) != (which == 'c')) continue;
    fmt::print("{}-{} {}\n", agent.name, agent.address, words);
    any = true;
  }
  if (!any) fmt::print("** No agent available.\n");
  return 0;
}

int Main(int argc, char** argv) {
  Home home{product::InstallPrefix()};
  char which = 0;
  opterr = 0;
  for (int flag; (flag = getopt(argc, argv, "hD:acn")) != -1;) {
    switch (flag) {
      case 'D':
        home = Home(optarg);
        break;
      case 'a':
      case 'c':
      case 'n':
        which = static_cast<char>(flag);
        break;
      case 'h':
        fmt::print("{}", kHelp);
        return 0;
      default:
        fmt::print("\n** Invalid option '{}'.\n{}", static_cast<char>(optopt), kHelp);
        return 1;
    }
  }
  if (optind < argc) fmt::print("\n** Invalid option '{}'.\n", argv[optind]);
  if (which == 0 || optind < argc) {
    fmt::print("{}", kHelp);
    return 1;
  }
  return List(which, home);
}

}  // namespace
}  // namespace ospatrol::agent_control

int main(int argc, char** argv) {
  try {
    return ospatrol::agent_control::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "list_agents: ERROR: {}\n", error.what());
    return 1;
  }
}
