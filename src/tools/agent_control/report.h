// Lists and details of agents as text, CSV and JSON (wire-protocol 9.1).
#pragma once

#include <string>

#include "agent_control/agent_list.h"

namespace ospatrol::agent_control {

enum class Form { kText, kCsv, kJson };

// `only_active`: without lost agents, agents that never came, and agentless devices.
std::string ListReport(const AgentList& list, const std::string& host, bool only_active, Form form);

// One agent; `agent` null: this machine. `with_ends`: the times when scans ended, too.
std::string DetailReport(const AgentList& list, const Agent* agent, const std::string& host,
                         bool with_ends, Form form);

}  // namespace ospatrol::agent_control
