// etc/shared/ar.conf: the names that responses have on the wire, for execd here and on the agents
// (configuration-and-operation 3.13).
#pragma once

#include <string>

#include "config/sections.h"

namespace ospatrol::config {

// The name of a response: command name and timeout, "host-deny600".
std::string ResponseName(const ActiveResponseSection& response);

// The whole file: two fixed lines, then "<name> - <executable> - <timeout>" for every response of
// `configuration` as analysisd reads it.
std::string BuildArConf(const Configuration& configuration);

}  // namespace ospatrol::config
