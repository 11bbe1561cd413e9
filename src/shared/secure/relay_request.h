// Requests to agents on queue/alerts/ar, written by analysisd and the tools (wire-protocol 4.6):
//
//   (agent name) location F1F2F3 id payload
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ospatrol::secure {

inline constexpr size_t kMaxRelayRequest = 1023;

struct RelayRequest {
  bool all_agents = false;   // F1 is A
  bool named_agent = false;  // F2 is R: `name`
  bool with_id = false;      // F3 is S: `id`
  bool plain = false;        // F2 is !: payload is a control message of its own, not for execd
  std::string_view name;
  std::string_view location;
  std::string_view id;  // "(null)" when there is none
  std::string_view payload;

  // "#!-" and the payload, or "#!-execd " and the payload.
  std::string Message() const;
};

// Views point into `datagram`; a NUL and what is behind it is ignored. Locations with spaces are
// understood: the flags are the first word made of three of their letters that is followed by an
// id. Nothing when fields are missing: 1310.
std::optional<RelayRequest> ParseRelayRequest(std::string_view datagram);

// "(msg_to_agent) [] N!S 001 syscheck restart": what tools write. `id` empty: all agents.
std::string FormatToolRequest(std::string_view id, bool plain, std::string_view payload);

}  // namespace ospatrol::secure
