// The command line of a daemon (configuration-and-operation 2.4). All texts go to standard error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/daemon.h"

namespace ospatrol::daemon {

struct CommandLine {
  Options options;
  std::optional<int> exit_status;  // -V, -h and mistakes: print `text` and exit
  std::string text;
};

// Throws what Flag::apply throws.
CommandLine ParseCommandLine(int argc, char** argv, const Program& program,
                             const std::vector<Flag>& own_flags);

// The text of -V.
std::string VersionText();

}  // namespace ospatrol::daemon
