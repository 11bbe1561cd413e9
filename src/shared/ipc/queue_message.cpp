#include "ipc/queue_message.h"

#include <algorithm>

#include "base/text.h"

namespace ospatrol::ipc {
namespace {

constexpr size_t kShortest = 4;
constexpr size_t kMaxLocation = 4096;  // a longer one would leave no room for the text
constexpr std::string_view kArrow = "->";

// "[003] (web1) any->...": agent id in front of the agent form. Its ':' follows the arrow too.
bool IsNumberedAgent(std::string_view rest) {
  const size_t close = rest.find(']');
  return close != std::string_view::npos && base::AllDigits(rest.substr(1, close - 1)) &&
         rest.substr(close).starts_with("] (");
}

bool IsAgentForm(std::string_view rest) {
  return rest.starts_with('(') || (rest.starts_with('[') && IsNumberedAgent(rest));
}

// "[2001:db8::1]:": an address whose colons do not separate. Position of ']', or npos.
size_t BracketedEnd(std::string_view rest) {
  if (!rest.starts_with('[')) return std::string_view::npos;
  const size_t close = rest.find(']');
  if (close == std::string_view::npos) return close;
  return rest.substr(close + 1).starts_with(':') ? close : std::string_view::npos;
}

bool HasParentStep(std::string_view location) {
  return location == ".." || location.starts_with("../") || location.ends_with("/..") ||
         location.find("/../") != std::string_view::npos;
}

std::optional<QueueMessage> Fail(MessageFault why, MessageFault* fault) {
  if (fault != nullptr) *fault = why;
  return std::nullopt;
}

// Bytes at the front of `location` in which a ':' does not end it.
size_t ProtectedPrefix(std::string_view location) {
  if (IsAgentForm(location)) {
    const size_t arrow = location.find(kArrow);
    return arrow == std::string_view::npos ? 0 : arrow + kArrow.size();
  }
  const bool bracketed = location.starts_with('[') && location.find(']') == location.size() - 1;
  return bracketed ? location.size() : 0;
}

}  // namespace

std::optional<QueueMessage> ParseQueueMessage(std::string_view bytes, MessageFault* fault) {
  bytes = bytes.substr(0, bytes.find('\0'));
  if (bytes.size() < kShortest) return Fail(MessageFault::kTooShort, fault);
  const std::string_view rest = bytes.substr(2);

  QueueMessage message;
  message.kind = bytes.front();
  size_t separator = 0;
  if (const size_t close = BracketedEnd(rest); close != std::string_view::npos) {
    message.location = rest.substr(1, close - 1);
    separator = close + 1;
  } else {
    size_t from = 0;
    if (IsAgentForm(rest)) {
      const size_t arrow = rest.find(kArrow);
      if (arrow == std::string_view::npos) return Fail(MessageFault::kNoSeparator, fault);
      from = arrow + kArrow.size();
    }
    separator = rest.find(':', from);
    if (separator == std::string_view::npos) return Fail(MessageFault::kNoSeparator, fault);
    const size_t prefix = rest.starts_with('[') && IsNumberedAgent(rest) ? rest.find(']') + 2 : 0;
    if (prefix > 0) message.agent_id = rest.substr(1, prefix - 3);
    message.location = rest.substr(prefix, separator - prefix);
  }
  if (HasParentStep(message.location)) return Fail(MessageFault::kBadLocation, fault);
  message.text = rest.substr(separator + 1);
  return message;
}

std::string FormatQueueMessage(Kind kind, std::string_view location, std::string_view text) {
  location = location.substr(0, kMaxLocation);
  std::string message;
  message.reserve(std::min(location.size() + text.size() + 3, kMaxMessage));
  message += static_cast<char>(kind);
  message += ':';
  // What begins like an agent or an address and is none could not be read back.
  const bool special = location.starts_with('(') || location.starts_with('[');
  if (special && ProtectedPrefix(location) == 0) message += ' ';
  const size_t begin = message.size();
  message += location;
  std::replace(message.begin() + static_cast<std::ptrdiff_t>(begin + ProtectedPrefix(location)),
               message.end(), ':', '\\');
  message += ':';
  message += text.substr(0, kMaxMessage - message.size());
  return message;
}

}  // namespace ospatrol::ipc
