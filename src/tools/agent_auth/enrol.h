// Getting a key from a manager.
#pragma once

#include "agent_auth/options.h"

namespace ospatrol::agent_auth {

// Prints its steps on standard output. Returns when the key is on disk (or, with -t, when nothing
// is wrong); else throws Error with the line for standard error.
void Enrol(const Options& options);

}  // namespace ospatrol::agent_auth
