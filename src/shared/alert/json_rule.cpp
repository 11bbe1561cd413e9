#include "alert/json_rule.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "alert/json_text.h"
#include "alert/rule_text.h"
#include "base/text.h"

namespace ospatrol::alert {
namespace {

constexpr size_t kMaxMarkers = 64;        // of one event; its text is an agent's
constexpr size_t kMaxMarkerValues = 256;  // of all markers together

constexpr std::array<std::string_view, 10> kRuleKeys{"level",  "comment",   "sidid",      "cve",
                                                     "info",   "frequency", "firedtimes", "group",
                                                     "groups", "mitre"};

constexpr std::string_view kRootcheck = "rootcheck";

struct NamedArray {
  std::string_view name;
  std::vector<std::string_view> values;
};

// Few names: a scan is faster than a map.
class NamedArrays {
 public:
  void Add(std::string_view name, std::string_view value) {
    std::vector<std::string_view>& values = Find(name);
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  std::vector<std::string_view>& Find(std::string_view name) {
    for (NamedArray& array : arrays_) {
      if (array.name == name) return array.values;
    }
    return arrays_.emplace_back(NamedArray{name, {}}).values;
  }
  const std::vector<NamedArray>& all() const { return arrays_; }

 private:
  std::vector<NamedArray> arrays_;
};

struct Compliance {
  std::string_view prefix;
  std::string_view key;
};
constexpr std::array<Compliance, 2> kCompliance{{{"pci_dss_", "PCI_DSS"}, {"cis_", "CIS"}}};

void AppendStrings(const std::vector<std::string_view>& values, RecordText& out) {
  out.Append('[');
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out.Append(',');
    AppendJsonString(values[i], out);
  }
  out.Append(']');
}

// Splits the raw group string: plain groups, and parts that name a requirement of a standard.
std::vector<std::string_view> SplitGroups(std::string_view raw, NamedArrays& arrays) {
  std::vector<std::string_view> plain;
  for (const std::string_view part : base::SplitWords(raw, ",")) {
    const std::string_view group = base::Trim(part);
    if (group.empty()) continue;
    const auto standard =
        std::find_if(kCompliance.begin(), kCompliance.end(),
                     [group](const Compliance& row) { return group.starts_with(row.prefix); });
    if (standard == kCompliance.end()) {
      plain.push_back(group);
    } else {
      arrays.Add(standard->key, group.substr(standard->prefix.size()));
    }
  }
  return plain;
}

bool IsNameByte(char c) { return base::IsAlnum(c) || c == '_'; }
bool IsValueByte(char c) { return IsNameByte(c) || c == '.' || c == ',' || c == ' '; }

struct Marker {
  std::string_view name;
  std::string_view values;
};

// The marker "{Name: a, b}" at the front of `text`; an empty name means that none stands there.
Marker MarkerAt(std::string_view text) {
  const auto end_of_name = std::find_if_not(text.begin() + 1, text.end(), IsNameByte);
  const auto name_length = static_cast<size_t>(end_of_name - text.begin()) - 1;
  const std::string_view rest = text.substr(1 + name_length);
  if (!rest.starts_with(':')) return {};
  const auto end_of_values = std::find_if_not(rest.begin() + 1, rest.end(), IsValueByte);
  if (end_of_values == rest.end() || *end_of_values != '}') return {};
  const auto values_length = static_cast<size_t>(end_of_values - rest.begin()) - 1;
  return {text.substr(1, name_length), rest.substr(1, values_length)};
}

void FindMarkers(std::string_view text, NamedArrays& arrays) {
  size_t markers = 0;
  size_t values = 0;
  for (size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    const Marker marker = MarkerAt(text.substr(at));
    if (marker.name.empty()) continue;
    if (++markers > kMaxMarkers) return;
    for (const std::string_view part : base::SplitWords(marker.values, ",")) {
      const std::string_view value = base::Trim(part);
      if (value.empty()) continue;
      if (++values > kMaxMarkerValues) return;
      arrays.Add(marker.name, value);
    }
  }
}

bool IsRuleKey(std::string_view name) {
  return std::find(kRuleKeys.begin(), kRuleKeys.end(), name) != kRuleKeys.end();
}

bool HasGroup(const std::vector<std::string_view>& groups, std::string_view name) {
  return std::find(groups.begin(), groups.end(), name) != groups.end();
}

}  // namespace

void AppendJsonRuleHead(const RuleFactsView& rule, RecordText& out) {
  JsonObject object(out);
  if (rule.level > 0) object.Number("level", rule.level);
  object.String("comment", rule.comment);
  object.Number("sidid", rule.id);
  object.StringIfSet("cve", rule.cve);
  object.StringIfSet("info", rule.info);
  if (rule.frequency != 0) object.Number("frequency", rule.frequency);
}

void AppendJsonRuleTail(const RuleFactsView& rule, std::string_view log, RecordText& out) {
  JsonObject object = JsonObject::Continue(out);
  object.String("group", rule.group);
  NamedArrays arrays;
  const std::vector<std::string_view> groups = SplitGroups(rule.group, arrays);
  object.Key("groups");
  AppendStrings(groups, out);
  if (HasGroup(groups, kRootcheck)) FindMarkers(log, arrays);
  for (const NamedArray& array : arrays.all()) {
    if (IsRuleKey(array.name)) {
      object.AnyKey("fields." + std::string(array.name));
    } else {
      object.Key(array.name);
    }
    AppendStrings(array.values, out);
  }
  if (!rule.mitre_ids.empty()) {
    object.Key("mitre");
    AppendStrings({rule.mitre_ids.begin(), rule.mitre_ids.end()}, out);
  }
  object.End();
}

bool DependsOnLog(const RuleFactsView& rule) {
  NamedArrays arrays;
  return HasGroup(SplitGroups(rule.group, arrays), kRootcheck);
}

void AppendJsonRule(const AlertView& alert, RecordText& out) {
  const RuleFactsView& rule = alert.rule;
  const bool made = rule.text != nullptr && rule.text->has_json;
  if (made) {
    out.Append(rule.text->json_head);
  } else {
    AppendJsonRuleHead(rule, out);
  }
  if (rule.fired_times != 0) JsonObject::Continue(out).Number("firedtimes", rule.fired_times);
  if (made) {
    out.Append(rule.text->json_tail);
  } else {
    AppendJsonRuleTail(rule, alert.full_log, out);
  }
}

}  // namespace ospatrol::alert
