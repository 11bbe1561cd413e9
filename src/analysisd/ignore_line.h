// The line by which <ignore> and <check_if_ignored> recognise an event (rules-and-decoders 4.7).
#pragma once

#include <string>

#include "analysisd/event.h"

namespace ospatrol::analysisd {

// Decoder name, id, dstuser, srcip, dstip, data, systemname, location, joined by one blank each;
// empty unless `fields` (bits of IgnoreField, rule.h) selects them. At most 255 bytes, without line
// end.
std::string IgnoreLine(const Event& event, unsigned fields);

}  // namespace ospatrol::analysisd
