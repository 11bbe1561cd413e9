// agent-auth - asks a manager for this host's key
//
// SYNOPSIS
//   agent-auth -m MANAGER [-p PORT] [-A NAME] [-P PASSWORD-FILE] [-v CA] [-x CERT -k KEY]
//              [-c CIPHERS] [-g GROUP] [-D DIR] [-dthV]
//
// Connects to ospatrol-authd of the manager with TLS, asks for a key for NAME (default: the name of
// this host) and stores it as etc/client.keys. With -v the manager's certificate is checked,
// including that it is for MANAGER; without -v anybody on the way can pretend to be the manager.
//
// Exit status: 0 when a key was stored, else 1.

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "agent_auth/enrol.h"
#include "base/error.h"
#include "log/log.h"

int main(int argc, char** argv) {
  using namespace ospatrol;
  signal(SIGPIPE, SIG_IGN);
  log::Configure("agent-auth", {}, true);
  try {
    const agent_auth::CommandLine command = agent_auth::ParseCommandLine(argc, argv);
    if (command.exit_status) {
      fmt::print(stderr, "{}", command.text);
      return *command.exit_status;
    }
    log::SetDebugLevel(command.options.debug ? 1 : 0);
    agent_auth::Enrol(command.options);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ERROR: {}\n", error.what());
    return 1;
  }
}
