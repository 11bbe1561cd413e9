// etc/shared/agent.conf: what the manager configures on its agents, in blocks <agent_config> that
// apply by name, operating system or profile (configuration-and-operation 3.17).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/configuration.h"
#include "config/dialect.h"
#include "config/problems.h"
#include "product/paths.h"

namespace ospatrol::config {

// What the blocks' attributes are compared with.
struct AgentFacts {
  std::string name;
  std::string os;       // HostDescription()
  std::string profile;  // of <client><config-profile>
};

// "SYSNAME NODENAME RELEASE VERSION MACHINE - PRODUCT vVERSION": also the beginning of a
// keep-alive.
std::string HostDescription();

// queue/ospatrol/.agent_info as agentd writes it, with this host's description. Nothing when there
// is none: agentd has not been started yet.
std::optional<AgentFacts> LoadAgentFacts(const Home& home);
std::string FormatAgentIdentity(std::string_view name, std::string_view id,
                                std::string_view profile);

// Why the text cannot be used at all: not of the dialect, a root that is no <agent_config>, or a
// section that does not exist; with its line. Nothing when it can be used. What is wrong within a
// section costs that section only, so it is no fault here.
std::optional<std::string> AgentConfFault(std::string_view text);

// For the manager, who knows no agent's facts: everything that agents would complain of, in all
// blocks. Of <syscheck> and <rootcheck> only the names are checked.
void CheckAgentConf(const Document& document, Problems& problems);

// On an agent: adds what etc/shared/agent.conf says to `configuration`, which was read from the
// local file before. Does nothing elsewhere (there is no .agent_info), and when there is none.
void LoadAgentConf(const Home& home, Reader reader, bool may_run_commands,
                   Configuration& configuration, Problems& problems);

// Adds what the blocks that apply say to `configuration`, for one program: lists are extended,
// single values replaced. Problems are warnings: an agent goes on without the section that has one.
// `may_run_commands` is the internal option logcollector.remote_commands.
void ReadAgentConf(const Document& document, const AgentFacts& facts, Reader reader,
                   bool may_run_commands, Configuration& configuration, Problems& problems);

}  // namespace ospatrol::config
