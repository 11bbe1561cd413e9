// agent_control - agents of this manager: who is there, and requests to them
//
// SYNOPSIS
//   agent_control [-D DIR] [-s | -j] -l | -lc | -i ID [-e] | -R ID | -r -a | -r -u ID |
//                 -b ADDRESS -f RESPONSE -u ID | -L | -m | -M ACTION -u ID
//
// Reads etc/client.keys and queue/agent-info; requests go to remoted over queue/alerts/ar. Runs as
// user ospatrol in the chroot. Exit status 0, or 1 for wrong arguments and requests that did not
// reach remoted.
#include <fmt/format.h>
#include <getopt.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "agent_control/agent_list.h"
#include "agent_control/commands.h"
#include "agent_control/report.h"
#include "base/error.h"
#include "base/time.h"
#include "daemon/flags.h"
#include "daemon/privileges.h"
#include "log/log.h"
#include "product/install_prefix.h"
#include "product/programs.h"

namespace ospatrol::agent_control {
namespace {

constexpr Program kProgram{.name = "agent_control",
                           .user = product::kUser,
                           .chroot = true,
                           .keep_caps = programs::kNoCapabilities,
                           .no_new_privileges = true};

constexpr const char* kHelp =
    "\nagent_control: agents of this manager\n"
    "  -h            this help\n"
    "  -V            version\n"
    "  -D DIR        prefix of the installation\n"
    "  -l            list all agents; -lc only those that are connected\n"
    "  -i ID         what is known of an agent; with -e also when its scans ended\n"
    "  -R ID         restart an agent\n"
    "  -r -a         check integrity now, on all agents; -r -u ID on one, 000 is the manager\n"
    "  -b ADDRESS -f RESPONSE -u ID   run a response on an agent\n"
    "  -L            list the responses\n"
    "  -m            limit of agents\n"
    "  -M ACTION -u ID   maintenance of the integrity check: enable, disable, status, end\n"
    "  -s            answers as CSV\n"
    "  -j, --json    answers as JSON\n"
    "  -d            debug\n";

struct Options {
  std::filesystem::path prefix = product::InstallPrefix();
  bool list = false, active = false, ends = false, scan = false, all = false, responses = false,
       limit = false;
  Form form = Form::kText;
  std::optional<std::string> info, restart, on, block, response, maintain;

  int actions() const {
    return int{list} + int{scan} + int{responses} + int{limit} + int{info.has_value()} +
           int{restart.has_value()} + int{block || response} + int{maintain.has_value()};
  }
  // Options that belong to an action have theirs.
  bool IsSound() const {
    if (actions() != 1) return false;
    if ((active && !list) || (ends && !info) || (all && !scan)) return false;
    if (scan && (all == on.has_value())) return false;
    if (block.has_value() != response.has_value()) return false;
    const bool needs_on = block || maintain;
    return (needs_on ? on.has_value() : scan || !on);
  }
};

enum class Parsed { kRun, kAskedHelp, kVersion, kWrong };

Parsed ParseOptions(int argc, char** argv, Options& options) {
  static const option kLong[] = {{"json", no_argument, nullptr, 'j'}, {nullptr, 0, nullptr, 0}};
  for (int flag;
       (flag = getopt_long(argc, argv, "hVdD:lci:eR:ru:ab:f:LmM:sj", kLong, nullptr)) != -1;) {
    switch (flag) {
      case 'D':
        options.prefix = optarg;
        break;
      case 'd':
        log::SetDebugLevel(log::DebugLevel() + 1);
        break;
      case 'l':
        options.list = true;
        break;
      case 'c':
        options.active = true;
        break;
      case 'i':
        options.info = optarg;
        break;
      case 'e':
        options.ends = true;
        break;
      case 'R':
        options.restart = optarg;
        break;
      case 'r':
        options.scan = true;
        break;
      case 'u':
        options.on = optarg;
        break;
      case 'a':
        options.all = true;
        break;
      case 'b':
        options.block = optarg;
        break;
      case 'f':
        options.response = optarg;
        break;
      case 'L':
        options.responses = true;
        break;
      case 'm':
        options.limit = true;
        break;
      case 'M':
        options.maintain = optarg;
        break;
      case 's':
        options.form = Form::kCsv;
        break;
      case 'j':
        options.form = Form::kJson;
        break;
      case 'V':
        return Parsed::kVersion;
      case 'h':
        return Parsed::kAskedHelp;
      default:
        return Parsed::kWrong;
    }
  }
  return optind == argc ? Parsed::kRun : Parsed::kWrong;
}

void EnterHome(const Options& options, Home& home) {
  if (::geteuid() != 0) return;
  const daemon::Identity identity =
      daemon::LookUpIdentity(std::string(product::kUser), std::string(product::kGroup));
  daemon::BecomeProgram(kProgram, identity, options.prefix);
  home = Home("/");
}

int UnknownId(const std::string& id, Form form) {
  if (form == Form::kJson) {
    fmt::print("{{\"error\":40,\"description\":\"Invalid agent id\"}}\n");
    return 0;
  }
  fmt::print("\n** Invalid agent id '{}'.\n{}", id, kHelp);
  return 1;
}

int Run(const Options& options) {
  Home home(options.prefix);
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  base::LoadTimeZone(home / paths::kLocalTime);
  EnterHome(options, home);
  log::Configure("agent_control", home / paths::kLog, false);
  const AgentList list(home);
  const Commands commands(home, list, options.form);
  if (options.list) {
    fmt::print("{}", ListReport(list, host.data(), options.active, options.form));
    return 0;
  }
  if (options.responses) return commands.ListResponses();
  if (options.limit) return commands.Limit();
  if (options.all) return commands.ScanAll();
  const std::string& id = options.info      ? *options.info
                          : options.restart ? *options.restart
                                            : *options.on;
  const bool is_manager = id == "000" || id == "0";
  const Agent* agent = is_manager ? nullptr : list.Find(id);
  const bool takes_manager = options.info || options.scan || options.maintain;
  if (agent == nullptr && !(is_manager && takes_manager)) return UnknownId(id, options.form);
  if (options.info) {
    fmt::print("{}", DetailReport(list, agent, host.data(), options.ends, options.form));
    return 0;
  }
  if (options.restart) return commands.Restart(*agent);
  if (options.scan) return commands.Scan(agent);
  if (options.maintain) return commands.Maintain(agent, *options.maintain);
  return commands.Respond(*agent, *options.response, *options.block);
}

}  // namespace

int Main(int argc, char** argv) {
  Options options;
  switch (ParseOptions(argc, argv, options)) {
    case Parsed::kAskedHelp:
      fmt::print("{}", kHelp);
      return 0;
    case Parsed::kVersion:
      fmt::print(stderr, "{}", daemon::VersionText());
      return 0;
    case Parsed::kWrong:
      fmt::print("{}", kHelp);
      return 1;
    case Parsed::kRun:
      break;
  }
  if (argc == 1) {
    fmt::print("{}", kHelp);
    return 1;
  }
  if (!options.IsSound()) {
    fmt::print("\n** Invalid argument combination.\n{}", kHelp);
    return 1;
  }
  try {
    return Run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "agent_control: ERROR: {}\n", error.what());
    return 1;
  }
}

}  // namespace ospatrol::agent_control

int main(int argc, char** argv) { return ospatrol::agent_control::Main(argc, argv); }
