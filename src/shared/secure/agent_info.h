// queue/agent-info/NAME-ADDRESS: what a manager knows of an agent, for the tools; the time of its
// last change is the sign of life (wire-protocol 4.2, 9.3).
#pragma once

#include <string>
#include <string_view>

#include "secure/keys.h"

namespace ospatrol::secure {

struct AgentInfo {
  std::string_view uname;          // without product, version and sum
  std::string_view version;        // "OSSEC HIDS v4.2.0 / <md5>": all behind the first " - "
  std::string_view first_line;     // both
  std::string_view crypto_method;  // "aes", "blowfish", "v2"; empty in the one-line form
};

// Views point into `content`. Unknown further lines "key:value" are ignored.
AgentInfo ParseAgentInfo(std::string_view content);
// The value of a further line "key:value"; empty when there is none.
std::string_view AgentInfoValue(std::string_view content, std::string_view key);

std::string FormatAgentInfo(std::string_view first_line, std::string_view crypto_method);

// "web01-10.0.0.5": name of the file. Safe as one, because ParseKeys lets no other names in.
std::string AgentInfoFile(const AgentKey& agent);

}  // namespace ospatrol::secure
