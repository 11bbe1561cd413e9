// Splits the header off an event: time stamp, host, program (rules-and-decoders 1.4).
#pragma once

#include "analysisd/event.h"
#include "analysisd/ruleset.h"

namespace ospatrol::analysisd {

// Fills hostname, program_name and log from full_log. Every route, also '3', '8' and '9', whose
// text has no header but whose host name comes from the location. Allocates nothing; thread-safe.
// `options.predecode_extended` adds Z and seven or more fraction digits to the ISO forms, and RFC
// 5424.
void Predecode(Event& event, const EngineOptions& options);

}  // namespace ospatrol::analysisd
