// Route '9': a finding of rootcheck (rules-and-decoders 3.9, collection-and-integrity 6.12).
#pragma once

#include "analysisd/engine_state.h"
#include "analysisd/event.h"
#include "analysisd/ruleset.h"

namespace ospatrol::analysisd {

// Always an event (true) unless the text is empty; `first_seen` says whether this location had the
// finding before. Judging thread only. REQUIRES: Predecode(event).
bool DecodeRootcheck(Event& event, EngineState& state, const EngineOptions& options);

}  // namespace ospatrol::analysisd
