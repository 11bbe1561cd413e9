#include "config/ar_conf.h"

#include <fmt/format.h>

#include <algorithm>

namespace ospatrol::config {
namespace {

// Managers of either family send this word to restart an agent; scripts of both systems carry it
// out.
constexpr std::string_view kRestartLines =
    "restart-ossec0 - restart-ossec.sh - 0\n"
    "restart-ossec0 - restart-ossec.cmd - 0\n";

}  // namespace

std::string ResponseName(const ActiveResponseSection& response) {
  return fmt::format("{}{}", response.command, response.timeout);
}

std::string BuildArConf(const Configuration& configuration) {
  std::string out(kRestartLines);
  for (const ActiveResponseSection& response : configuration.active_responses) {
    const auto command =
        std::ranges::find(configuration.commands, response.command, &CommandSection::name);
    if (command == configuration.commands.end()) continue;
    out += fmt::format("{} - {} - {}\n", ResponseName(response), command->executable,
                       response.timeout);
  }
  return out;
}

}  // namespace ospatrol::config
