// `-r FILE`: recorded messages of the event queue, judged with the times at which they were
// received. The same recording always gives the same bytes.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "analysisd/ruleset.h"

namespace ospatrol::logtest {

// A line is "SECONDS T:LOCATION:TEXT", seconds of the epoch and a message as on the queue
// (rules-and-decoders 1.1); empty lines are skipped. `write` gets the record of each alert, as in
// alerts.log. False: a line is not of this form; `problem` names it.
bool Replay(std::istream& recording, const std::string& name,
            std::shared_ptr<const analysisd::Ruleset> ruleset, void (*write)(const std::string&),
            std::string& problem);

}  // namespace ospatrol::logtest
