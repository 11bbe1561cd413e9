// Alerts that another manager relays, as syslog output or through a collector:
//   Alert Level: 10; Rule: 5712 - Text; Location: gw1->/var/log/auth.log; srcip: 1.2.3.4; user:
//   root;  original log
// The event becomes the original one and fires rule 5712 of this manager directly.
#include <algorithm>
#include <array>

#include "analysisd/plugin.h"
#include "base/text.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxLocation = 255;

// Names in front of the original log (outputs-and-response 9.4). The log begins at the first other
// word.
constexpr std::array<std::string_view, 14> kNames = {"classification",  "srcip",
                                                     "srccity",         "dstcity",
                                                     "dstip",           "user",
                                                     "Previous MD5",    "Current MD5",
                                                     "Previous SHA1",   "Current SHA1",
                                                     "Size changed",    "User ownership",
                                                     "Group ownership", "Permissions changed"};

// What stands before `end`, which is passed over; nothing when there is no `end`.
std::string_view TakeUntil(std::string_view& text, std::string_view end) {
  const size_t at = text.find(end);
  if (at == std::string_view::npos) return {};
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return taken;
}

// " name: value;", with `value` and `name` set, or nothing taken.
bool TakePair(std::string_view& text, std::string_view& name, std::string_view& value) {
  if (!text.starts_with(' ')) return false;
  std::string_view rest = text.substr(1);
  name = TakeUntil(rest, ": ");
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) return false;
  value = TakeUntil(rest, ";");
  if (!IsSet(value)) return false;
  text = rest;
  return true;
}

void WarnOfUnknownRule(std::string_view id, std::string_view location) {
  thread_local log::Limited<msg::kRelayedRuleUnknown> warning;
  warning.Write(id, location);
}

struct Relayed {
  const Rule* rule = nullptr;
  std::string_view location;
  std::string_view srcip, user;
  std::string_view log;
};

// False when anything does not fit.
bool Parse(std::string_view text, const Event& event, const RuleFinder& find_rule, Relayed& out) {
  if (!IsSet(TakeUntil(text, ";")) || !IsSet(TakeUntil(text, ": "))) return false;
  const std::string_view id = TakeUntil(text, " ");
  const auto number = base::ParseNumber<int>(id);
  if (!number) return false;
  out.rule = find_rule ? find_rule(*number) : nullptr;
  if (out.rule == nullptr) {
    WarnOfUnknownRule(id, event.location);
    return false;
  }
  if (!IsSet(TakeUntil(text, "; Location: "))) return false;
  out.location = TakeUntil(text, ";");
  if (!IsSet(out.location)) return false;
  std::string_view name;
  std::string_view value;
  while (TakePair(text, name, value)) {
    if (name == "srcip") out.srcip = value;
    if (name == "user") out.user = value;
  }
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  out.log = text;
  return true;
}

}  // namespace

void DecodeOssecAlert(Event& event, const PluginContext& context) {
  const std::string_view text = context.input;
  if (!text.starts_with("Alert Level:") && !text.starts_with("ossec: Alert Level")) return;
  Relayed relayed;
  if (!Parse(text, event, context.find_rule, relayed)) {
    event.dropped = true;
    return;
  }
  event.relay = event.Keep(fmt::format("{}->{}", event.hostname, event.location));
  std::string location = fmt::format("{}|{}", event.location, relayed.location);
  location.resize(std::min(location.size(), kMaxLocation));
  event.location = event.Keep(std::move(location));
  event.hostname = event.location;
  if (IsSet(relayed.srcip)) event.Set(Field::kSrcIp, relayed.srcip);
  if (IsSet(relayed.user)) event.Set(Field::kDstUser, relayed.user);
  event.full_log = event.log = relayed.log;
  event.relayed_rule = relayed.rule;
}

}  // namespace ospatrol::analysisd
