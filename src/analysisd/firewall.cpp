#include "analysisd/firewall.h"

#include "base/text.h"

namespace ospatrol::analysisd {

std::string_view NormaliseAction(std::string_view action) {
  switch (action.empty() ? '\0' : base::ToLower(action.front())) {
    case 'd':
    case 'r':
    case 'b':
      return "DROP";
    case 'c':
    case 't':
      return "CLOSED";
    case 'a':
    case 'p':
    case 'o':
      return "ALLOW";
    default:
      break;
  }
  const std::string lower = base::ToLower(action);
  if (lower.find("drop") != std::string::npos) return "DROP";
  if (lower.find("accept") != std::string::npos) return "ALLOW";
  return "UNKNOWN";
}

bool IsCompleteFirewallEvent(const Event& event) {
  return event.category == Category::kFirewall && IsSet(event.Get(Field::kAction)) &&
         IsSet(event.Get(Field::kSrcIp)) && IsSet(event.Get(Field::kDstIp)) &&
         IsSet(event.Get(Field::kProtocol));
}

}  // namespace ospatrol::analysisd
