// Firewall events: one word for what was done, whatever the product calls it
// (outputs-and-response 3.8).
#pragma once

#include <string_view>

#include "analysisd/event.h"

namespace ospatrol::analysisd {

// DROP, CLOSED, ALLOW or UNKNOWN.
std::string_view NormaliseAction(std::string_view action);

// Action, both addresses and protocol are known: worth a line in the firewall log.
bool IsCompleteFirewallEvent(const Event& event);

}  // namespace ospatrol::analysisd
