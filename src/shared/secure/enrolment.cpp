#include "secure/enrolment.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "base/text.h"
#include "secure/keys_file.h"

namespace ospatrol::secure {

namespace {

constexpr std::string_view kAgent = "OSSEC A:'";
constexpr std::string_view kPassword = "OSSEC PASS: ";
constexpr std::string_view kAgentBehindPassword = " OSSEC A:'";
constexpr std::string_view kWordBehindPassword = " OSSEC ";
constexpr std::string_view kKey = "OSSEC K:'";
constexpr std::string_view kNotAdded = "ERROR: Unable to add agent.\n\n";

using State = EnrolmentRequest::State;

EnrolmentRequest Unfinished(State state) {
  return {.state = state, .password = std::nullopt, .name = {}};
}

// "name'": up to the quote, on one line.
EnrolmentRequest ReadName(std::optional<std::string_view> password, std::string_view rest) {
  const size_t end = rest.find_first_of("'\n");
  if (end == std::string_view::npos) return Unfinished(State::kIncomplete);
  if (rest[end] == '\n') return Unfinished(State::kMalformed);
  return {.state = State::kComplete, .password = password, .name = rest.substr(0, end)};
}

// A password that was read from a file may end in a line feed, which then stands in the middle of
// the request.
EnrolmentRequest ReadPassword(std::string_view rest) {
  const size_t agent = rest.find(kAgentBehindPassword);
  if (agent != std::string_view::npos) {
    std::string_view password = rest.substr(0, agent);
    if (password.ends_with('\n')) password.remove_suffix(1);
    // What would have been refused when only this much had come.
    const bool odd =
        password.find('\n') != std::string_view::npos ||
        (password.size() < agent && password.find(kWordBehindPassword) != std::string_view::npos);
    if (odd) return Unfinished(State::kMalformed);
    while (password.ends_with('\r')) password.remove_suffix(1);
    return ReadName(password, rest.substr(agent + kAgentBehindPassword.size()));
  }
  const size_t feed = rest.find('\n');
  if (feed == std::string_view::npos) return Unfinished(State::kIncomplete);
  const bool other_word = rest.substr(0, feed).find(kWordBehindPassword) != std::string_view::npos;
  const bool may_go_on = kAgentBehindPassword.starts_with(rest.substr(feed + 1));
  return Unfinished(may_go_on && !other_word ? State::kIncomplete : State::kMalformed);
}

std::string_view TakeLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

EnrolmentReply InvalidKey(std::string fault) {
  return {.state = EnrolmentReply::State::kInvalidKey, .agent = {}, .fault = std::move(fault)};
}

// "id name address key"
EnrolmentReply ReadKey(std::string_view text) {
  const auto fields = base::Split(text, ' ');
  if (fields.size() != 4) return InvalidKey("expected four parts: id, name, address, key");
  if (const auto fault = IdFault(fields[0])) return InvalidKey("id: " + *fault);
  if (const auto fault = NameFault(fields[1])) return InvalidKey("name: " + *fault);
  if (fields[2].find_first_of("/!") != std::string_view::npos) {
    return InvalidKey("address: expected one address or 'any'");
  }
  if (const auto fault = AddressFault(fields[2])) return InvalidKey("address: " + *fault);
  if (const auto fault = KeyFault(fields[3])) return InvalidKey("key: " + *fault);
  return {.state = EnrolmentReply::State::kKey,
          .agent = MakeAgentKey(fields[0], fields[1], fields[2], fields[3]),
          .fault = {}};
}

}  // namespace

EnrolmentRequest ParseEnrolmentRequest(std::string_view received) {
  if (received.size() > kMaxEnrolmentRequest) return Unfinished(State::kMalformed);
  if (received.starts_with(kAgent)) return ReadName(std::nullopt, received.substr(kAgent.size()));
  if (received.starts_with(kPassword)) return ReadPassword(received.substr(kPassword.size()));
  const bool may_become = kAgent.starts_with(received) || kPassword.starts_with(received);
  return Unfinished(may_become ? State::kIncomplete : State::kMalformed);
}

std::string FormatEnrolmentRequest(const std::optional<std::string>& password,
                                   std::string_view name) {
  if (!password) return fmt::format("{}{}'\n", kAgent, name);
  return fmt::format("{}{} {}{}'\n", kPassword, *password, kAgent, name);
}

bool SamePassword(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string FormatEnrolledKey(const AgentKey& agent) {
  return fmt::format("{}{}'\n\n", kKey, FormatKeyLine(agent));
}

std::string FormatInvalidName(std::string_view name) {
  return fmt::format("ERROR: Invalid agent name: {}\n\n{}", base::EscapeControls(name), kNotAdded);
}

std::string FormatAddressTaken(std::string_view owner_id) {
  return fmt::format("ERROR: Invalid IP address: {}\n\n{}", owner_id, kNotAdded);
}

std::string FormatEnrolmentFailure(std::string_view name) {
  return fmt::format("ERROR: Internal manager error adding agent: {}\n\n{}",
                     base::EscapeControls(name), kNotAdded);
}

std::string FormatInvalidPassword() { return "ERROR: Invalid password.\n\n"; }

EnrolmentReply ParseEnrolmentReply(std::string_view received) {
  while (!received.empty()) {
    const bool whole = received.find('\n') != std::string_view::npos;
    std::string_view line = TakeLine(received);
    if (!line.starts_with(kKey)) continue;
    line.remove_prefix(kKey.size());
    const size_t quote = line.find('\'');
    if (quote != std::string_view::npos) return ReadKey(line.substr(0, quote));
    if (whole) return InvalidKey("the closing quote is missing");
  }
  return {};
}

std::vector<std::string> EnrolmentErrors(std::string_view received) {
  std::vector<std::string> errors;
  while (received.find('\n') != std::string_view::npos) {
    const std::string_view line = TakeLine(received);
    if (line.starts_with("ERROR")) errors.push_back(base::EscapeControls(line));
  }
  return errors;
}

}  // namespace ospatrol::secure
