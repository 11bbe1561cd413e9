// One event on the local queue: `T:LOCATION:TEXT` (rules-and-decoders 1.1, wire-protocol 6.1).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ospatrol::ipc {

// The first byte of a message selects the route.
enum class Kind : char {
  kLog = '1',
  kSyslog = '2',
  kHostInfo = '3',
  kSyscheck = '8',
  kRootcheck = '9',
  kMysql = 'a',
  kPostgresql = 'b',
};

inline constexpr size_t kMaxMessage =
    65535;  // bytes of T:LOCATION:TEXT; longer is cut by the sender, and counted

// Views into the bytes that were parsed.
struct QueueMessage {
  char kind = '1';
  std::string_view agent_id;  // "003" of "[003] (web1) any->/a"; empty: not from a known agent
  // Without the agent id in front; brackets of "[2001:db8::1]" dropped; never with ".." path steps.
  std::string_view location;
  std::string_view text;  // not cleaned of control bytes
};

enum class MessageFault { kTooShort, kNoSeparator, kBadLocation };

// Anything behind the first NUL is ignored. Nothing on a malformed message; `fault` says why.
std::optional<QueueMessage> ParseQueueMessage(std::string_view bytes,
                                              MessageFault* fault = nullptr);

// "1:/var/log/auth.log:text". A ':' in `location` becomes '\' (unless it begins with '(' or '['),
// so that it can be parsed again; one that begins as an agent's but has no "->" gets a blank in
// front. The result is cut at kMaxMessage.
std::string FormatQueueMessage(Kind kind, std::string_view location, std::string_view text);

}  // namespace ospatrol::ipc
