#include "execd/request.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "pattern/ip_list.h"

namespace ospatrol::execd {
namespace {

constexpr size_t kLongestUser = 128;
constexpr size_t kLongestHost = 253;

bool IsWordByte(char c) { return base::IsAlnum(c) || c == '_'; }

// "null": what the tools write when they ask for a restart.
bool IsNobody(std::string_view text) { return text == "-" || text == "null"; }

// No leading '-', which programs would take for an option, and never root.
bool IsUser(std::string_view text) {
  if (IsNobody(text)) return true;
  if (text.empty() || text.size() > kLongestUser || text == "root") return false;
  return IsWordByte(text[0]) && std::ranges::all_of(text, [](char c) {
           return IsWordByte(c) || c == '.' || c == '@' || c == '?' || c == '-';
         });
}

bool IsPrivateToHost(const pattern::IpAddress& address) {
  constexpr size_t kV4 = 12;
  const bool v4 =
      std::all_of(address.begin(), address.begin() + 10, [](uint8_t b) { return b == 0; }) &&
      address[10] == 0xff && address[11] == 0xff;
  if (v4) {
    return address[kV4] == 0 || address[kV4] == 127 || address[kV4] >= 224;  // multicast and above
  }
  if (address[0] == 0xff) return true;
  return std::all_of(address.begin(), address.end() - 1, [](uint8_t b) { return b == 0; }) &&
         address.back() <= 1;
}

// An address that may be blocked, or a host name (responses with <allow_hostnames>).
bool IsTarget(std::string_view text) {
  if (IsNobody(text)) return true;
  if (const auto address = pattern::ParseAddress(text)) {
    return text.find('/') == std::string_view::npos && !IsPrivateToHost(*address);
  }
  const bool name =
      text.size() <= kLongestHost && !text.empty() && base::IsAlpha(text[0]) &&
      std::ranges::all_of(text, [](char c) { return base::IsAlnum(c) || c == '.' || c == '-'; });
  return name;
}

// "1715076672.41" or the tools' word.
bool IsAlert(std::string_view text) {
  return text == "-" || text == "(from_the_server)" ||
         std::ranges::all_of(text, [](char c) { return base::IsDigit(c) || c == '.'; });
}

bool IsRule(std::string_view text) {
  return text == "-" || text == "(no_rule_id)" || base::AllDigits(text);
}

}  // namespace

std::optional<Request> ParseRequest(std::string_view datagram, std::string& reason) {
  const std::string_view text = datagram.substr(0, datagram.find('\0'));
  if (text.size() > kMaxRequest) {
    reason = fmt::format("longer than {} bytes", kMaxRequest);
    return std::nullopt;
  }
  if (base::HasControlBytes(text)) {
    reason = "has control bytes";
    return std::nullopt;
  }
  std::vector<std::string_view> words = base::SplitWords(text, " ");
  if (words.size() < 3) {
    reason = "expected a name, a user and an address";
    return std::nullopt;
  }
  words.resize(std::min(words.size(), kMaxArguments + 1));
  Request request{.name = std::string(words[0]), .arguments = {words.begin() + 1, words.end()}};
  if (!IsUser(request.user())) {
    reason = fmt::format("'{}' is no user that a response may act on", request.user());
  } else if (!IsTarget(request.ip())) {
    reason = fmt::format("'{}' is no address that a response may act on", request.ip());
  } else if (!IsAlert(request.alert())) {
    reason = "the third field is no alert id";
  } else if (!IsRule(request.rule())) {
    reason = "the fourth field is no rule id";
  } else {
    return request;
  }
  return std::nullopt;
}

}  // namespace ospatrol::execd
