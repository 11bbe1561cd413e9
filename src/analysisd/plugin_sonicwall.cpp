// SonicWall firewalls:
//   ... pri=6 c=1024 m=537 msg="Connection Closed" n=0 src=10.0.0.1:3000:WAN dst=10.0.0.2:80:LAN
//   proto=tcp/http ...
#include <algorithm>
#include <memory>

#include "analysisd/plugin.h"
#include "base/text.h"
#include "pattern/pattern.h"

namespace ospatrol::analysisd {
namespace {

using PatternPtr = std::unique_ptr<const pattern::Pattern>;

PatternPtr OsRegex(std::string_view text) {
  pattern::CompileError error;
  return pattern::Pattern::Compile(pattern::Language::kOsRegex, text, &error);
}

struct Patterns {
  PatternPtr head = OsRegex(R"(pri=(\d) c=(\d+) m=(\d+) )");
  PatternPtr addresses = OsRegex(R"(src=(\d+.\d+.\d+.\d+):(\d+):\S+ dst=(\d+.\d+.\d+.\d+):(\d+):)");
  PatternPtr web = OsRegex(R"(result=(\d+) dstname=(\S+) arg=(\S+)$)");
};

const Patterns& Compiled() {
  static const Patterns patterns;
  return patterns;
}

struct Meaning {
  Category category = Category::kSyslog;
  std::string_view action;
};

Meaning MeaningOf(std::string_view category, std::string_view id) {
  const auto number = base::ParseNumber<int>(id).value_or(0);
  if (category == "32") return {Category::kIds, {}};
  switch (number) {
    case 98:
    case 597:
    case 598:
      return {Category::kFirewall, "pass"};
    case 36:
    case 37:
    case 38:
    case 173:
    case 174:
      return {Category::kFirewall, "drop"};
    case 537:
      return {Category::kFirewall, "close"};
    case 97:
      return {Category::kSquid, {}};
    default:
      return {};
  }
}

constexpr size_t kMaxProtocol = 6;

std::string_view ProtocolOf(std::string_view text) {
  return text.substr(0, std::min(text.find_first_of("/ "), kMaxProtocol));
}

}  // namespace

void DecodeSonicWall(Event& event, const PluginContext& context) {
  const Patterns& patterns = Compiled();
  pattern::Match match;
  std::string_view text = context.input;
  if (!patterns.head->Find(text, match)) return;
  event.Set(Field::kStatus, match.Capture(text, 0));
  const std::string_view category = match.Capture(text, 1);
  const std::string_view id = match.Capture(text, 2);
  event.Set(Field::kId, id);
  text.remove_prefix(match.end);

  if (!patterns.addresses->Find(text, match)) return;
  event.Set(Field::kSrcIp, match.Capture(text, 0));
  event.Set(Field::kSrcPort, match.Capture(text, 1));
  event.Set(Field::kDstIp, match.Capture(text, 2));
  event.Set(Field::kDstPort, match.Capture(text, 3));
  text.remove_prefix(match.end);

  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return;
  text.remove_prefix(blank + 1);
  if (text.starts_with("proto=")) event.Set(Field::kProtocol, ProtocolOf(text.substr(6)));

  const Meaning meaning = MeaningOf(category, id);
  event.category = meaning.category;
  if (!meaning.action.empty()) event.Set(Field::kAction, meaning.action);
  if (meaning.category != Category::kSquid || !patterns.web->Find(text, match)) return;
  event.Set(Field::kId, match.Capture(text, 0));
  std::string url(match.Capture(text, 1));
  url += match.Capture(text, 2);
  event.Set(Field::kUrl, event.Keep(std::move(url)));
}

}  // namespace ospatrol::analysisd
