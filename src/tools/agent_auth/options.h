// The command line of agent-auth.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "secure/enrolment.h"
#include "tls/context.h"

namespace ospatrol::agent_auth {

struct Options {
  std::filesystem::path prefix;                // -D
  std::string manager;                         // -m: address or name
  uint16_t port = secure::kEnrolmentPort;      // -p
  std::string name;                            // -A; empty: that of the host
  std::filesystem::path password_file;         // -P; empty: none
  std::string ciphers = tls::kDefaultCiphers;  // -c
  tls::Files files;                            // -x, -k, -v
  std::string group;                           // -g; empty: that of the file as it is
  bool debug = false;                          // -d
  bool test = false;                           // -t
};

struct CommandLine {
  Options options;
  std::optional<int> exit_status;  // there is nothing to do but to print `text` and leave
  std::string text;                // for standard error
};

CommandLine ParseCommandLine(int argc, char** argv);

}  // namespace ospatrol::agent_auth
