// Lines that a host and ospatrol-authd exchange inside TLS to make a key (wire-protocol 8.2): one
// request, one or two answers, close. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "secure/keys.h"

namespace ospatrol::secure {

inline constexpr uint16_t kEnrolmentPort = 1515;
inline constexpr size_t kMaxEnrolmentRequest = 4096;
inline constexpr size_t kMaxEnrolmentReply = 4096;

struct EnrolmentRequest {
  enum class State : uint8_t {
    kIncomplete,  // more must come
    kComplete,
    kMalformed,  // closed without an answer
  };
  State state = State::kMalformed;
  std::optional<std::string_view> password;  // without CR and LF behind it
  std::string_view name;                     // as sent: not checked
};

// `received` is everything that came so far. Views point into it.
EnrolmentRequest ParseEnrolmentRequest(std::string_view received);

// "OSSEC A:'<name>'\n", with a password "OSSEC PASS: <password> OSSEC A:'<name>'\n".
std::string FormatEnrolmentRequest(const std::optional<std::string>& password,
                                   std::string_view name);

// Equal? Takes as long for every wrong password of one length.
bool SamePassword(std::string_view a, std::string_view b);

// --- answers ---

std::string FormatEnrolledKey(const AgentKey& agent);
// Two lines: what is wrong, and that nothing was added. Control bytes of `name` are escaped.
std::string FormatInvalidName(std::string_view name);
std::string FormatAddressTaken(std::string_view owner_id);
std::string FormatEnrolmentFailure(std::string_view name);
std::string FormatInvalidPassword();

struct EnrolmentReply {
  enum class State : uint8_t {
    kIncomplete,
    kKey,         // agent
    kInvalidKey,  // a key line that breaks the rules: fault says which
  };
  State state = State::kIncomplete;
  std::optional<AgentKey> agent;
  std::string fault;
};

// `received` is everything that came so far; lines other than the key are passed over.
EnrolmentReply ParseEnrolmentReply(std::string_view received);
// Whole lines that begin with "ERROR", for the user; control bytes escaped.
std::vector<std::string> EnrolmentErrors(std::string_view received);

}  // namespace ospatrol::secure
