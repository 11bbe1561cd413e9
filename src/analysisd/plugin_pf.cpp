// OpenBSD pf, as tcpdump prints its log:
//   rule 12/0(match): pass in on fxp0: 192.168.0.1.1234 > 10.0.0.1.80: S 1:1(0) ...
#include <algorithm>

#include "analysisd/plugin.h"

namespace ospatrol::analysisd {
namespace {

struct Endpoint {
  std::string_view address;
  std::string_view port;  // unset: the text has none
};

size_t Nth(std::string_view text, char wanted, int n) {
  size_t at = text.find(wanted);
  for (; n > 1 && at != std::string_view::npos; --n) at = text.find(wanted, at + 1);
  return at;
}

// "192.168.0.1.1234" and "fe80::1.1234": the port follows the fourth dot, in an IPv6 address the
// only one.
Endpoint Split(std::string_view text) {
  const bool is_v6 = text.find(':') != std::string_view::npos;
  const bool one_dot = std::count(text.begin(), text.end(), '.') == 1;
  const size_t dot = Nth(text, '.', is_v6 && one_dot ? 1 : 4);
  if (dot == std::string_view::npos) return {text, {}};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

void SetEndpoint(Event& event, Field address, Field port, std::string_view text) {
  const Endpoint endpoint = Split(text);
  event.Set(address, endpoint.address);
  if (IsSet(endpoint.port)) event.Set(port, endpoint.port);
}

// The destination ends at a colon; in an IPv6 address, which has several, at the last one of the
// word.
size_t DestinationEnd(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  return std::count(word.begin(), word.end(), ':') > 1 ? word.rfind(':') : text.find(':');
}

std::string_view Protocol(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  const char first = begin == std::string_view::npos ? '\0' : text[begin];
  if (first == 'u' || first == 'U') return "UDP";
  if (first == 'i' || first == 'I') return "ICMP";
  return "TCP";
}

// What follows `mark`, or nothing at all.
bool SkipBehind(std::string_view& text, std::string_view mark) {
  const size_t at = text.find(mark);
  if (at == std::string_view::npos) return false;
  text.remove_prefix(at + mark.size());
  return true;
}

}  // namespace

void DecodePf(Event& event, const PluginContext& context) {
  std::string_view text = context.input;
  if (!SkipBehind(text, ")") || !SkipBehind(text, " ") || text.empty()) return;
  if (text[0] != 'p' && text[0] != 'b') return;
  event.Set(Field::kAction, text[0] == 'p' ? "pass" : "block");

  if (!SkipBehind(text, ": ")) return;
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return;
  SetEndpoint(event, Field::kSrcIp, Field::kSrcPort, text.substr(0, blank));
  text.remove_prefix(blank + 1);

  if (!text.starts_with("> ")) return;
  text.remove_prefix(2);
  const size_t end = DestinationEnd(text);
  if (end == std::string_view::npos) return;
  SetEndpoint(event, Field::kDstIp, Field::kDstPort, text.substr(0, end));
  event.Set(Field::kProtocol, Protocol(text.substr(end + 1)));
}

}  // namespace ospatrol::analysisd
