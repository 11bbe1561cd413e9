// What Resolver and its child say to each other: one text per message of a SOCK_SEQPACKET pair.
//   question  "ID NAME"
//   answer    "ID[ ADDRESS]..."
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::daemon {

inline constexpr size_t kLongestName = 253;  // RFC 1035
inline constexpr size_t kMostAddresses = 16;
inline constexpr size_t kLongestResolverMessage = 1024;  // 16 IPv6 addresses, and to spare

struct Question {
  uint32_t id;
  std::string name;
};

struct Answer {
  uint32_t id;
  std::vector<std::string> addresses;
};

bool IsResolvableName(std::string_view name);

std::string Encode(const Question& question);
std::string Encode(const Answer& answer);

// Nothing for what the other side should not have sent.
std::optional<Question> ParseQuestion(std::string_view message);
// Words that are no addresses, and addresses beyond the limit, are left out.
std::optional<Answer> ParseAnswer(std::string_view message);

// The child: answers questions from `socket` until it closes, then ends the process.
[[noreturn]] void ServeResolver(int socket);

}  // namespace ospatrol::daemon
