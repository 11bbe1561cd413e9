#include "daemon/resolver_protocol.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace ospatrol::daemon {

namespace {

bool IsAddress(std::string_view word) {
  const std::string text(word);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

}  // namespace

bool IsResolvableName(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string Encode(const Question& question) {
  return fmt::format("{} {}", question.id, question.name);
}

std::string Encode(const Answer& answer) {
  std::string message = fmt::format("{}", answer.id);
  for (const std::string& address : answer.addresses) message += " " + address;
  return message;
}

std::optional<Question> ParseQuestion(std::string_view message) {
  const std::vector<std::string_view> words = base::Split(message, ' ');
  if (words.size() != 2 || !IsResolvableName(words[1])) return std::nullopt;
  const auto id = base::ParseNumber<uint32_t>(words[0]);
  if (!id) return std::nullopt;
  return Question{*id, std::string(words[1])};
}

std::optional<Answer> ParseAnswer(std::string_view message) {
  const std::vector<std::string_view> words = base::Split(message, ' ');
  const auto id = base::ParseNumber<uint32_t>(words[0]);
  if (!id) return std::nullopt;
  Answer answer{*id, {}};
  for (const std::string_view word : std::span(words).subspan(1)) {
    if (answer.addresses.size() == kMostAddresses) break;
    if (IsAddress(word)) answer.addresses.emplace_back(word);
  }
  return answer;
}

}  // namespace ospatrol::daemon
