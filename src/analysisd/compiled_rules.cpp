#include "analysisd/compiled_rules.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

bool SameUser(const Event& event) {
  const std::string_view source = event.Get(Field::kSrcUser);
  const std::string_view destination = event.Get(Field::kDstUser);
  return !IsSet(source) || !IsSet(destination) || source == destination;
}

bool HasLongId(const Event& event) {
  const std::string_view id = event.Get(Field::kId);
  return IsSet(id) && id.size() >= 10;
}

// What stands behind the first colon after `label`.
std::optional<std::string_view> TextBehind(std::string_view log, std::string_view label) {
  size_t at = log.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  at = log.find(':', at + label.size());
  if (at == std::string_view::npos) return std::nullopt;
  return log.substr(at + 1);
}

// Windows messages put TAB or two blanks behind a value.
size_t ValueEnd(std::string_view text) {
  return std::min({text.find('\t'), text.find("  "), text.size()});
}

bool TargetIsNotCaller(const Event& event) {
  const auto target = TextBehind(event.log, "Target Account Name");
  const auto caller = TextBehind(event.log, "Caller User Name");
  if (!target || !caller) return false;
  const std::string_view name = target->substr(0, ValueEnd(*target));
  return !caller->starts_with(name);
}

bool IsSimpleRequest(const Event& event) {
  const std::string_view url = event.Get(Field::kUrl);
  const std::string_view action = event.Get(Field::kAction);
  if (!IsSet(url)) return false;
  if (IsSet(action) && !base::EqualsIgnoreCase(action, "GET")) return false;
  return url.find('?') == std::string_view::npos;
}

bool IsCrawler(const Event& event) {
  static constexpr std::array<std::string_view, 7> kPrefixes{
      "72.14.", "209.85.", "65.55.", "207.46.", "74.6.", "72.30.", "67.195."};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return event.log.starts_with(prefix); });
}

constexpr std::array kTable{
    CompiledRule{"comp_srcuser_dstuser", SameUser},
    CompiledRule{"check_id_size", HasLongId},
    CompiledRule{"comp_mswin_targetuser_calleruser_diff", TargetIsNotCaller},
    CompiledRule{"is_simple_http_request", IsSimpleRequest},
    CompiledRule{"is_valid_crawler", IsCrawler},
};

}  // namespace

std::span<const CompiledRule> CompiledRules() { return kTable; }

const CompiledRule* FindCompiledRule(std::string_view name) {
  const auto row = std::find_if(kTable.begin(), kTable.end(),
                                [&](const CompiledRule& r) { return r.name == name; });
  return row == kTable.end() ? nullptr : &*row;
}

}  // namespace ospatrol::analysisd
