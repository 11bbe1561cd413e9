// Route '8': a file's attributes as an agent sees them, compared with what was known
// (rules-and-decoders 3.9, collection-and-integrity 4).
#pragma once

#include "analysisd/engine_state.h"
#include "analysisd/event.h"
#include "analysisd/ruleset.h"

namespace ospatrol::analysisd {

// Updates the state; true when there is an event for the rules: decoder, log, full_log, filename
// and file facts are set. False: nothing to tell (no change, ignored, maintenance, end of a scan)
// or a bad message (logged). Judging thread only. REQUIRES: Predecode(event).
bool DecodeSyscheck(Event& event, EngineState& state, const EngineOptions& options);

}  // namespace ospatrol::analysisd
