// From what an agent or a syslog sender says to an event of the local queue (wire-protocol 3.4,
// 5.2). Pure text, no I/O; every byte comes from the network.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ospatrol::remoted {

// An agent as it stands in client.keys.
struct Origin {
  std::string_view id;       // "001"
  std::string_view name;     // "web01"
  std::string_view address;  // as written, without "/len": "10.0.0.5", "any"
};

enum class Forwarding {
  kForwarded,
  kSilent,     // a mark that nobody wants to see
  kMalformed,  // not T:LOCATION:TEXT with a known T
  kLocation,   // LOCATION could be taken for another agent's, or for a path outside
};

// Appends "T:[id] (name) address->LOCATION:TEXT" to `out` when `message` may go on; `out` is as
// before otherwise. TEXT ends at the first NUL.
Forwarding AppendAgentEvent(const Origin& origin, std::string_view message, std::string& out);

// The same event for `queue`, which has no agent id: "T:(name) address->LOCATION:TEXT", at most
// kMaxDatagramEvent bytes. What is not an agent's event is only cut.
inline constexpr size_t kMaxDatagramEvent = 6143;
std::string ForDatagramQueue(std::string_view event);

// Appends "2:SOURCE:TEXT" for a message of plain syslog: one line feed at the end and a "<PRI>" in
// front are removed. `source` is an address as text; one of IPv6 is put in square brackets. False
// and nothing appended when no text is left.
bool AppendSyslogEvent(std::string_view source, std::string_view message, std::string& out);

}  // namespace ospatrol::remoted
