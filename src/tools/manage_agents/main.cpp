// manage_agents - keys of agents
//
// SYNOPSIS
//   manage_agents [-D DIR] [-j] [-l | -e ID | -r ID | -a ADDRESS -n NAME [-F SECONDS] | -f FILE |
//   -i KEY]
//
// Without flags it asks. On a manager it adds, lists and removes agents and prints their keys; on
// an agent it takes the key that the manager printed. Scripts answer the questions with variables:
// OSPATROL_ACTION, _AGENT_NAME, _AGENT_IP, _AGENT_ID, _AGENT_KEY, _ACTION_CONFIRMED,
// _REMOVE_DUPLICATED, or the same behind OSSEC_. Exit status 0, or 1 when the action failed.
#include <fmt/format.h>
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "base/time.h"
#include "daemon/flags.h"
#include "log/log.h"
#include "manage_agents/agent_registry.h"
#include "manage_agents/answers.h"
#include "manage_agents/dialogue.h"
#include "product/install_prefix.h"
#include "product/paths.h"
#include "product/product.h"

namespace ospatrol::manage_agents {
namespace {

constexpr const char* kHelp =
    "\nmanage_agents: keys of agents\n"
    "  -h            this help\n"
    "  -V            version\n"
    "  -D DIR        prefix of the installation\n"
    "  -j            answers as JSON\n"
    "  -l            list all agents\n"
    "  -e ID         print the key of an agent, for its import\n"
    "  -r ID         remove an agent\n"
    "  -a ADDRESS    add an agent: address, network, or any; needs -n\n"
    "  -n NAME       its name\n"
    "  -F SECONDS    with -a: remove another agent of this address that was silent for so long\n"
    "  -f FILE       add many: lines ADDRESS,NAME; - reads standard input\n"
    "  -i KEY        on an agent: take the key that the manager printed\n";

struct Options {
  std::filesystem::path prefix = product::InstallPrefix();
  bool json = false, list = false;
  std::optional<std::string> export_id, remove_id, address, name, bulk, import;
  std::optional<std::string> replace_after;
};

// Nothing: print the help and exit with `status`.
std::optional<Options> ParseOptions(int argc, char** argv, int& status) {
  static const option kLong[] = {{"json", no_argument, nullptr, 'j'}, {nullptr, 0, nullptr, 0}};
  Options options;
  for (int flag; (flag = getopt_long(argc, argv, "hVD:jle:r:a:n:F:f:i:", kLong, nullptr)) != -1;) {
    switch (flag) {
      case 'D':
        options.prefix = optarg;
        break;
      case 'j':
        options.json = true;
        break;
      case 'l':
        options.list = true;
        break;
      case 'e':
        options.export_id = optarg;
        break;
      case 'r':
        options.remove_id = optarg;
        break;
      case 'a':
        options.address = optarg;
        break;
      case 'n':
        options.name = optarg;
        break;
      case 'F':
        options.replace_after = optarg;
        break;
      case 'f':
        options.bulk = optarg;
        break;
      case 'i':
        options.import = optarg;
        break;
      case 'V':
        fmt::print(stderr, "{}", daemon::VersionText());
        status = 0;
        return std::nullopt;
      default:
        fmt::print(stderr, "{}", kHelp);
        status = flag == 'h' ? 0 : 1;
        return std::nullopt;
    }
  }
  std::string fault;
  if (optind < argc) fault = fmt::format("unexpected argument '{}'", argv[optind]);
  if (options.address && !options.name) fault = "-a needs -n NAME";
  if (options.replace_after) {
    const auto seconds = base::ParseNumber<int64_t>(*options.replace_after);
    if (!seconds || *seconds < 0) {
      fault = fmt::format("-F '{}': expected a number of seconds", *options.replace_after);
    }
  }
  if (fault.empty()) return options;
  fmt::print(stderr, "manage_agents: {}\n{}", fault, kHelp);
  status = 1;
  return std::nullopt;
}

bool IsAgent(const Home& home) {
  const auto init = base::ReadFileIfPresent(home / paths::kInit);
  return init && init->find("TYPE=\"agent\"") != std::string::npos;
}

// The questions that flags have answered.
Answers FromFlags(const Options& options) {
  Answers answers;
  if (options.remove_id) {
    answers.Set("ACTION", "r");
    answers.Set("AGENT_ID", *options.remove_id);
    answers.Set("ACTION_CONFIRMED", "y");
  }
  if (options.address) {
    answers.Set("ACTION", "a");
    answers.Set("AGENT_IP", *options.address);
    answers.Set("AGENT_NAME", *options.name);
    answers.Set("AGENT_ID", "0");
    answers.Set("ACTION_CONFIRMED", "y");
  }
  if (options.replace_after) answers.Set("REMOVE_DUPLICATED", *options.replace_after);
  return answers;
}

int Refuse(std::string_view text) {
  fmt::print(stderr, "manage_agents: ERROR: {}\n", text);
  return 1;
}

int Run(const Options& options) {
  const Home home(options.prefix);
  log::Configure("manage_agents", home / paths::kLog, false);
  base::LoadTimeZone(home / paths::kLocalTime);
  const bool on_agent = IsAgent(home);
  AgentRegistry registry(home);
  const Answers answers = FromFlags(options);
  Dialogue dialogue(registry, answers, {.on_agent = on_agent, .json = options.json});
  if (options.import) {
    return on_agent ? dialogue.Import(*options.import)
                    : Refuse("Key import only available on an agent.");
  }
  if (options.list) return dialogue.List();
  if (on_agent) {
    if (options.export_id) return Refuse("Key export only available on a master.");
    if (options.remove_id) return Refuse("Key removal only available on a master.");
    if (options.address) return Refuse("Agent adding only available on a master.");
    if (options.bulk) return Refuse("Bulk generate keys only available on a master.");
  }
  if (options.export_id) return dialogue.Export(*options.export_id);
  if (options.bulk) return dialogue.Bulk(*options.bulk);
  return dialogue.Run();
}

}  // namespace

int Main(int argc, char** argv) {
  int status = 0;
  const auto options = ParseOptions(argc, argv, status);
  if (!options) return status;
  ::umask(0027);
  try {
    return Run(*options);
  } catch (const Answers::TooLarge&) {
    fmt::print("manage_agents: Input too large. Not adding it.\n");
    return 1;
  } catch (const std::exception& error) {
    return Refuse(error.what());
  }
}

}  // namespace ospatrol::manage_agents

int main(int argc, char** argv) { return ospatrol::manage_agents::Main(argc, argv); }
