#include "remoted/forwarding.h"

#include <algorithm>

#include "base/text.h"
#include "ipc/queue_message.h"

namespace ospatrol::remoted {
namespace {

constexpr std::string_view kKnownKinds = "12389ab";
constexpr std::string_view kMark = "keepalive";
constexpr std::string_view kArrow = "->";
constexpr size_t kMaxLocation = 4096;

bool HasParentStep(std::string_view location) {
  for (size_t at = location.find(".."); at != std::string_view::npos;
       at = location.find("..", at + 1)) {
    const bool begins = at == 0 || location[at - 1] == '/' || location[at - 1] == '\\';
    const bool ends =
        at + 2 == location.size() || location[at + 2] == '/' || location[at + 2] == '\\';
    if (begins && ends) return true;
  }
  return false;
}

bool IsSafeLocation(std::string_view location) {
  return location.size() <= kMaxLocation && !base::HasControlBytes(location) &&
         location.find(kArrow) == std::string_view::npos && !HasParentStep(location);
}

}  // namespace

Forwarding AppendAgentEvent(const Origin& origin, std::string_view message, std::string& out) {
  message = message.substr(0, message.find('\0'));
  if (message.size() < 3 || message[1] != ':' ||
      kKnownKinds.find(message[0]) == std::string_view::npos) {
    return Forwarding::kMalformed;
  }
  const std::string_view rest = message.substr(2);
  if (rest.starts_with(kMark)) return Forwarding::kSilent;
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return Forwarding::kMalformed;
  if (!IsSafeLocation(rest.substr(0, colon))) return Forwarding::kLocation;

  const size_t begin = out.size();
  out += message[0];
  out += ":[";
  out += origin.id;
  out += "] (";
  out += origin.name;
  out += ") ";
  out += origin.address;
  out += kArrow;
  out += rest;
  out.resize(std::min(out.size(), begin + ipc::kMaxMessage));
  return Forwarding::kForwarded;
}

std::string ForDatagramQueue(std::string_view event) {
  std::string result;
  const size_t close = event.find("] (");
  if (event.size() > 3 && event[2] == '[' && close != std::string_view::npos &&
      base::AllDigits(event.substr(3, close - 3))) {
    result = event.substr(0, 2);
    result += event.substr(close + 2);
  } else {
    result = event;
  }
  result.resize(std::min(result.size(), kMaxDatagramEvent));
  return result;
}

bool AppendSyslogEvent(std::string_view source, std::string_view message, std::string& out) {
  message = message.substr(0, message.find('\0'));
  if (message.ends_with('\n')) message.remove_suffix(1);
  if (message.starts_with('<')) {
    const size_t close = message.find('>');
    if (close != std::string_view::npos) message.remove_prefix(close + 1);
  }
  if (message.empty()) return false;
  const bool brackets = source.find(':') != std::string_view::npos;
  const size_t begin = out.size();
  out += brackets ? "2:[" : "2:";
  out += source;
  out += brackets ? "]:" : ":";
  out += message;
  out.resize(std::min(out.size(), begin + ipc::kMaxMessage));
  return true;
}

}  // namespace ospatrol::remoted
