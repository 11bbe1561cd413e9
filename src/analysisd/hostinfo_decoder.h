// Route '3': the open ports of a host as nmap saw them (rules-and-decoders 3.9,
// collection-and-integrity 2.8).
#pragma once

#include "analysisd/engine_state.h"
#include "analysisd/event.h"
#include "analysisd/ruleset.h"

namespace ospatrol::analysisd {

// True when the host is new or its newest known ports differ; they are then stored.
// Judging thread only. REQUIRES: Predecode(event).
bool DecodeHostInfo(Event& event, EngineState& state, const EngineOptions& options);

}  // namespace ospatrol::analysisd
