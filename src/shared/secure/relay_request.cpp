#include "secure/relay_request.h"

#include <fmt/format.h>

#include "base/text.h"
#include "secure/control_message.h"

namespace ospatrol::secure {

namespace {

constexpr std::string_view kNobody = "(null)";

bool AreFlags(std::string_view word) {
  return word.size() == 3 && (word[0] == 'A' || word[0] == 'N') &&
         (word[1] == 'R' || word[1] == '!' || word[1] == 'N') && (word[2] == 'S' || word[2] == 'N');
}

std::string_view WordAt(std::string_view text, size_t begin) {
  return text.substr(begin, text.find(' ', begin) - begin);
}

// Where the flags begin: the first word made of their letters that an id follows.
size_t FindFlags(std::string_view text) {
  for (size_t begin = 0; begin < text.size();) {
    const std::string_view word = WordAt(text, begin);
    const size_t next = begin + word.size() + 1;
    if (AreFlags(word) && next < text.size()) {
      const std::string_view id = WordAt(text, next);
      if (id == kNobody || base::AllDigits(id)) return begin;
    }
    begin = next;
  }
  return std::string_view::npos;
}

}  // namespace

std::string RelayRequest::Message() const {
  return plain ? fmt::format("{}{}", kControlPrefix, payload) : FormatExecd(payload);
}

std::optional<RelayRequest> ParseRelayRequest(std::string_view datagram) {
  datagram = datagram.substr(0, datagram.find('\0'));
  const size_t close = datagram.find(") ");
  if (!datagram.starts_with('(') || close == std::string_view::npos) return std::nullopt;
  const std::string_view rest = datagram.substr(close + 2);
  const size_t flags_begin = FindFlags(rest);
  if (flags_begin == std::string_view::npos || flags_begin == 0) return std::nullopt;
  const std::string_view flags = WordAt(rest, flags_begin);
  const size_t id_begin = flags_begin + flags.size() + 1;
  const std::string_view id = WordAt(rest, id_begin);
  const size_t payload_begin = id_begin + id.size() + 1;
  if (payload_begin >= rest.size()) return std::nullopt;
  return RelayRequest{.all_agents = flags[0] == 'A',
                      .named_agent = flags[1] == 'R',
                      .with_id = flags[2] == 'S',
                      .plain = flags[1] == '!',
                      .name = datagram.substr(1, close - 1),
                      .location = rest.substr(0, flags_begin - 1),
                      .id = id,
                      .payload = rest.substr(payload_begin)};
}

std::string FormatToolRequest(std::string_view id, bool plain, std::string_view payload) {
  return fmt::format("(msg_to_agent) [] {}{}{} {} {}", id.empty() ? 'A' : 'N', plain ? '!' : 'N',
                     id.empty() ? 'N' : 'S', id.empty() ? kNobody : id, payload);
}

}  // namespace ospatrol::secure
