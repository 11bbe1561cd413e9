// One message of queue/alerts/execq (outputs-and-response 5.5, 6.3):
//
//   NAME USER IP ALERT RULE LOCATION [...] FILE
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::execd {

inline constexpr size_t kMaxRequest = 1023 + 64;  // a relayed message, and then some
inline constexpr size_t kMaxArguments = 29;       // behind the action

struct Request {
  std::string name;
  // USER, IP, ALERT, RULE, LOCATION..., FILE as they stand in the message, at least user and ip.
  std::vector<std::string> arguments;

  const std::string& user() const { return arguments[0]; }
  const std::string& ip() const { return arguments[1]; }
  // "-" when the message is short.
  std::string_view alert() const { return At(2); }
  std::string_view rule() const { return At(3); }
  std::string_view location() const { return At(4); }
  std::string_view file() const {
    return arguments.size() > 5 ? std::string_view(arguments.back()) : "-";
  }

 private:
  std::string_view At(size_t index) const {
    return arguments.size() > index ? std::string_view(arguments[index]) : "-";
  }
};

// Are both about the same user, address and file?
inline bool SameTarget(const Request& a, const Request& b) {
  return a.user() == b.user() && a.ip() == b.ip() && a.file() == b.file();
}

// Believes nothing: the socket is open to other daemons. Nothing for a message that is not to be
// run; `reason` then says what is wrong with it.
std::optional<Request> ParseRequest(std::string_view datagram, std::string& reason);

}  // namespace ospatrol::execd
