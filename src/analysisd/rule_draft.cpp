#include "analysisd/rule_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "analysisd/condition_registry.h"
#include "analysisd/rule_comparison.h"
#include "base/text.h"
#include "config/show.h"
#include "log/messages.h"
#include "pattern/pattern.h"

namespace ospatrol::analysisd {
namespace {

using config::Element;

// Longest text of one element: 4.2. More would be lost in an OSSEC, so it is refused here.
constexpr size_t kMaxElementText = 2048;

std::string Quoted(std::string_view text) { return base::EscapeControls(text); }

// --- attributes ---

struct AttributeInput {
  std::string_view name;
  const std::string& value;
  RuleDraft& draft;
  RuleScope& scope;
};

// Digits only, of which the first `used` count.
std::optional<int> ReadDigits(const AttributeInput& input, size_t used) {
  if (!base::AllDigits(input.value)) {
    input.scope.Error(
        msg::kInvalidValue.id, 0,
        fmt::format("attribute {}='{}' is not a number", input.name, Quoted(input.value)),
        "expected digits only");
    return std::nullopt;
  }
  if (input.value.size() > used) {
    input.scope.Warning(0, fmt::format("attribute {}='{}': only the first {} digits count",
                                       input.name, input.value, used));
  }
  return base::ParseNumber<int>(std::string_view(input.value).substr(0, used));
}

void ReadId(const AttributeInput& input) {
  const std::optional<int> id = ReadDigits(input, 6);
  if (!id) return;
  if (*id == 0) {
    input.scope.Error(msg::kInvalidValue.id, 0, fmt::format("attribute id='{}'", input.value),
                      "expected 1 to 999999");
    return;
  }
  input.draft.id = *id;
}

void ReadLevel(const AttributeInput& input) {
  input.draft.level = ReadDigits(input, 4);
  if (input.draft.level.value_or(0) > 16) {
    input.scope.Warning(
        0, fmt::format("level {} is above 16, the highest by convention", *input.draft.level));
  }
}

void ReadMaxSize(const AttributeInput& input) {
  input.draft.maxsize = ReadDigits(input, 4).value_or(0);
}
void ReadFrequency(const AttributeInput& input) {
  input.draft.frequency = ReadDigits(input, 4).value_or(0);
}
void ReadTimeframe(const AttributeInput& input) { input.draft.timeframe = ReadDigits(input, 5); }
void ReadIgnoreSeconds(const AttributeInput& input) {
  input.draft.ignore_seconds = ReadDigits(input, 6).value_or(0);
}
void ReadAccuracy(const AttributeInput& input) {
  input.draft.accurate = ReadDigits(input, 4).value_or(1) != 0;
}
void ReadNoAlert(const AttributeInput& input) { input.draft.noalert = true; }

void ReadOverwrite(const AttributeInput& input) {
  if (input.value != "yes" && input.value != "no") {
    input.scope.Error(msg::kInvalidValue.id, 0,
                      fmt::format("attribute overwrite='{}'", Quoted(input.value)),
                      "expected yes or no");
    return;
  }
  input.draft.overwrite = input.value == "yes";
}

struct AttributeRow {
  std::string_view name;
  void (*read)(const AttributeInput& input);
};

constexpr std::array kAttributes{
    AttributeRow{"id", ReadId},
    AttributeRow{"level", ReadLevel},
    AttributeRow{"maxsize", ReadMaxSize},
    AttributeRow{"frequency", ReadFrequency},
    AttributeRow{"timeframe", ReadTimeframe},
    AttributeRow{"ignore", ReadIgnoreSeconds},
    AttributeRow{"accuracy", ReadAccuracy},
    AttributeRow{"noalert", ReadNoAlert},
    AttributeRow{"overwrite", ReadOverwrite},
};

// --- elements other than conditions ---

struct ElementInput {
  const Element& element;
  RuleDraft& draft;
  RuleScope& scope;

  void Error(int id, const std::string& text, std::string remedy = {}) const {
    scope.Error(id, element.line, fmt::format("<{}>: {}", element.name, text), std::move(remedy));
  }
  void Warning(const std::string& text, std::string remedy = {}) const {
    scope.Warning(element.line, fmt::format("<{}>: {}", element.name, text), std::move(remedy));
  }
};

template <RuleDraft::Joined RuleDraft::*Member>
void ReadJoined(const ElementInput& input) {
  (input.draft.*Member).Append(input.element);
}

void ReadCategory(const ElementInput& input) {
  static constexpr std::array kNames{
      std::pair{std::string_view("syslog"), Category::kSyslog},
      std::pair{std::string_view("firewall"), Category::kFirewall},
      std::pair{std::string_view("ids"), Category::kIds},
      std::pair{std::string_view("web-log"), Category::kWebLog},
      std::pair{std::string_view("squid"), Category::kSquid},
      std::pair{std::string_view("windows"), Category::kWindows},
      std::pair{std::string_view("ossec"), Category::kOssec},
  };
  for (const auto& [name, category] : kNames) {
    if (input.element.content == name) {
      input.draft.category = category;
      return;
    }
  }
  input.Error(msg::kRuleCategory.id, fmt::format("no category '{}'", Quoted(input.element.content)),
              "expected syslog, firewall, ids, web-log, squid, windows or ossec");
}

void ReadDescription(const ElementInput& input) {
  std::string text = input.element.content;
  if (const size_t lf = text.find('\n'); lf != std::string::npos) text[lf] = ' ';
  input.draft.description += text;
}

void ReadGroup(const ElementInput& input) { input.draft.group += input.element.content; }

// The label of type="..." of <info>; text for what is none of the types, unless it looks like one
// of them.
std::string_view InfoLabel(const ElementInput& input, const std::string& type) {
  static constexpr std::array<std::string_view, 4> kTypes{"text", "link", "cve", "osvdb"};
  static constexpr std::array<std::string_view, 4> kLabels{"Text", "Link", "CVE", "OSVDB"};
  for (size_t i = 0; i < kTypes.size(); ++i) {
    if (base::EqualsIgnoreCase(type, kTypes[i])) return kLabels[i];
  }
  const std::string text = fmt::format("no type '{}'", Quoted(type));
  if (!base::NearestName(type, kTypes).empty()) {
    input.Error(msg::kInvalidAttribute.id, text, config::Suggest(type, kTypes));
  } else {
    input.Warning(text + ", taken as text", config::Suggest(type, kTypes));
  }
  return kLabels[0];
}

void ReadInfo(const ElementInput& input) {
  static constexpr std::array<std::string_view, 1> kKnown{"type"};
  std::string_view label = "Text";
  for (const config::Attribute& attribute : input.element.attributes) {
    if (base::EqualsIgnoreCase(attribute.name, kKnown[0])) {
      label = InfoLabel(input, attribute.value);
    } else {
      TellUnknownAttribute(input.element, attribute, kKnown, false, input.scope);
    }
  }
  input.draft.infos.push_back({std::string(label), input.element.content});
  input.draft.info_text += input.element.content;
}

void ReadCve(const ElementInput& input) {
  input.draft.infos.push_back({"CVE", input.element.content});
  input.draft.cve += input.element.content;
}

unsigned IgnoreFields(const ElementInput& input) {
  static constexpr std::array kWords{
      std::pair{std::string_view("user"), kIgnoreUser},
      std::pair{std::string_view("srcip"), kIgnoreSrcIp},
      std::pair{std::string_view("dstip"), kIgnoreDstIp},
      std::pair{std::string_view("id"), kIgnoreId},
      std::pair{std::string_view("location"), kIgnoreLocation},
      std::pair{std::string_view("data"), kIgnoreData},
      std::pair{std::string_view("name"), kIgnoreName},
  };
  unsigned fields = 0;
  for (const auto& [word, bit] : kWords) {
    if (input.element.content.find(word) != std::string::npos) fields |= bit;
  }
  if (fields == 0) {
    input.Error(msg::kInvalidValue.id,
                fmt::format("'{}' names no value", Quoted(input.element.content)),
                "expected user, srcip, dstip, id, location, data or name");
  }
  return fields;
}

void ReadIgnore(const ElementInput& input) { input.draft.ignore_fields |= IgnoreFields(input); }
void ReadCheckIfIgnored(const ElementInput& input) {
  input.draft.check_ignored_fields |= IgnoreFields(input);
}

void ReadOptions(const ElementInput& input) {
  static constexpr std::array<std::string_view, 5> kWords{"alert_by_email", "no_email_alert",
                                                          "log_alert", "no_log", "no_ar"};
  if (std::find(kWords.begin(), kWords.end(), input.element.content) == kWords.end()) {
    input.Error(
        msg::kInvalidValue.id, fmt::format("no option '{}'", Quoted(input.element.content)),
        "expected alert_by_email, no_email_alert, log_alert, no_log or no_ar, one an element");
    return;
  }
  input.draft.options.push_back(input.element.content);
}

void ReadMitre(const ElementInput& input) {
  for (const Element& child : input.element.children) {
    const bool id = base::EqualsIgnoreCase(child.name, "id") ||
                    base::EqualsIgnoreCase(child.name, "techniqueID");
    if (base::EqualsIgnoreCase(child.name, "tacticID")) continue;
    const std::string text{base::Trim(child.content)};
    if (!id || text.empty()) {
      input.Warning(fmt::format("<{}>{}</{}> is left out", child.name, Quoted(text), child.name),
                    "<id>T1110</id>");
      continue;
    }
    std::vector<std::string>& ids = input.draft.mitre_ids;
    if (std::find(ids.begin(), ids.end(), text) == ids.end()) ids.push_back(text);
  }
}

// not_same_X clears a same_X that stands before it, and does nothing else.
template <ComparedValue::Source Source, Field Value>
void ClearSame(const ElementInput& input) {
  std::erase(input.draft.same, ComparedValue{Source, Value, {}});
}

struct ElementRow {
  std::string_view name;
  void (*read)(const ElementInput& input);
};

constexpr std::array kElements{
    ElementRow{"category", ReadCategory},
    ElementRow{"if_sid", ReadJoined<&RuleDraft::if_sid>},
    ElementRow{"if_group", ReadJoined<&RuleDraft::if_group>},
    ElementRow{"if_level", ReadJoined<&RuleDraft::if_level>},
    ElementRow{"if_matched_sid",
               [](const ElementInput& input) {
                 input.draft.if_matched_sid = {input.element.content, input.element.line};
               }},
    ElementRow{"if_matched_group", ReadJoined<&RuleDraft::if_matched_group>},
    ElementRow{"if_matched_regex", ReadJoined<&RuleDraft::if_matched_regex>},
    ElementRow{"not_same_source_ip", ClearSame<ComparedValue::Source::kField, Field::kSrcIp>},
    ElementRow{"not_same_id", ClearSame<ComparedValue::Source::kField, Field::kId>},
    ElementRow{"not_same_user", ClearSame<ComparedValue::Source::kField, Field::kDstUser>},
    ElementRow{"not_same_agent", ClearSame<ComparedValue::Source::kHostname, Field::kCount>},
    ElementRow{"description", ReadDescription},
    ElementRow{"group", ReadGroup},
    ElementRow{"info", ReadInfo},
    ElementRow{"cve", ReadCve},
    ElementRow{"ignore", ReadIgnore},
    ElementRow{"check_if_ignored", ReadCheckIfIgnored},
    ElementRow{"options", ReadOptions},
    ElementRow{"mitre", ReadMitre},
};

// --- the whole rule ---

void ReadAttributes(const Element& element, RuleDraft& draft, RuleScope& scope) {
  for (const config::Attribute& attribute : element.attributes) {
    const auto row = std::find_if(
        kAttributes.begin(), kAttributes.end(),
        [&](const AttributeRow& r) { return base::EqualsIgnoreCase(r.name, attribute.name); });
    if (row == kAttributes.end()) {
      scope.Error(msg::kInvalidAttribute.id, 0,
                  fmt::format("<rule> has no attribute '{}'", Quoted(attribute.name)),
                  config::Suggest(attribute.name, RuleAttributeNames()));
      continue;
    }
    row->read({row->name, attribute.value, draft, scope});
  }
  if (element.FindAttribute("level") == nullptr && !draft.level) {
    const bool given = std::any_of(
        element.attributes.begin(), element.attributes.end(),
        [](const config::Attribute& a) { return base::EqualsIgnoreCase(a.name, "level"); });
    if (!given)
      scope.Error(msg::kInvalidAttribute.id, 0, "<rule> lacks the attribute 'level'",
                  "expected level=\"...\", 0 to 16");
  }
}

// The id is read first, so that every message can name the rule.
void FindId(const Element& element, RuleScope& scope) {
  for (const config::Attribute& attribute : element.attributes) {
    if (!base::EqualsIgnoreCase(attribute.name, "id")) continue;
    const auto id = base::ParseNumber<int>(std::string_view(attribute.value).substr(0, 6));
    scope.SetRule(id.value_or(0), element.line);
    return;
  }
  scope.SetRule(0, element.line);
  scope.Error(msg::kInvalidAttribute.id, 0, "<rule> lacks the attribute 'id'",
              "expected id=\"...\", 1 to 999999");
}

void ReadElement(const Element& element, RuleDraft& draft, RuleScope& scope) {
  const ElementInput input{element, draft, scope};
  if (element.content.size() > kMaxElementText) {
    input.Error(msg::kTextTooLong.id, fmt::format("{} bytes of text", element.content.size()),
                fmt::format("expected at most {}; split it over several elements, which are joined",
                            kMaxElementText));
    return;
  }
  if (FindCondition(element.name) != nullptr) {
    draft.conditions.push_back(element);
    return;
  }
  for (const ElementRow& row : kElements) {
    if (base::EqualsIgnoreCase(row.name, element.name)) return row.read(input);
  }
  if (ReadComparison(element, draft, scope)) return;
  const std::vector<std::string_view> names = RuleElementNames();
  const std::string_view near = base::NearestName(element.name, names);
  scope.Error(msg::kInvalidElement.id, element.line,
              fmt::format("<rule> knows no element <{}>", Quoted(element.name)),
              near.empty()
                  ? std::string("expected an element such as <if_sid>, <match>, <description>")
                  : fmt::format("did you mean <{}>?", near));
}

bool HasCheckDiff(const RuleDraft& draft) {
  return std::any_of(draft.conditions.begin(), draft.conditions.end(), [](const Element& element) {
    return base::EqualsIgnoreCase(element.name, "check_diff");
  });
}

void CheckCounting(const RuleDraft& draft, RuleScope& scope) {
  const bool counts = draft.if_matched_sid || draft.if_matched_group || draft.if_matched_regex;
  const bool wants_counting =
      draft.frequency > 0 || !draft.same.empty() || !draft.different.empty();
  if (wants_counting && !counts && !HasCheckDiff(draft)) {
    scope.Error(msg::kRulesFile.id, draft.comparison_line,
                draft.frequency > 0
                    ? "attribute 'frequency' without anything to count"
                    : "a same_... or different_... element without anything to compare with",
                "add <if_matched_sid>, <if_matched_group> or <if_matched_regex>");
  }
}

void CheckGroups(const RuleDraft& draft, RuleScope& scope) {
  std::vector<std::string_view> groups = base::Split(draft.group, ',');
  for (auto group = groups.begin(); group != groups.end(); ++group) {
    *group = base::Trim(*group);
    if (group->empty() || std::find(groups.begin(), group, *group) == group) continue;
    scope.Warning(0, fmt::format("group '{}' is given twice", Quoted(*group)));
  }
}

}  // namespace

std::string RuleScope::Prefix() const { return id_ > 0 ? fmt::format("rule {}: ", id_) : ""; }

void RuleScope::Error(int id, int line, const std::string& text, std::string remedy) {
  problems_.Error(id, file_, line > 0 ? line : line_, Prefix() + text, std::move(remedy));
}

void RuleScope::WarningWithId(int id, int line, const std::string& text, std::string remedy) {
  problems_.Warning(id, file_, line > 0 ? line : line_, Prefix() + text, std::move(remedy));
}

void TellUnknownAttribute(const Element& element, const config::Attribute& attribute,
                          std::span<const std::string_view> known, bool strict, RuleScope& scope) {
  const std::string text =
      fmt::format("<{}>: unknown attribute '{}'", element.name, Quoted(attribute.name));
  std::string remedy =
      known.empty() ? std::string("expected none") : config::Suggest(attribute.name, known);
  if (strict || !base::NearestName(attribute.name, known).empty()) {
    scope.Error(msg::kInvalidAttribute.id, element.line, text, std::move(remedy));
  } else {
    scope.Warning(element.line, text + " is ignored", std::move(remedy));
  }
}

std::optional<RuleDraft> ReadRule(const Element& element, std::string_view group,
                                  RuleScope& scope) {
  const size_t errors = scope.error_count();
  RuleDraft draft;
  draft.file = scope.file();
  draft.line = element.line;
  draft.group = group;
  FindId(element, scope);
  ReadAttributes(element, draft, scope);
  if (element.children.empty()) {
    scope.Error(msg::kRulesFile.id, 0, "a rule without any element",
                "expected at least <description>");
  }
  for (const Element& child : element.children) ReadElement(child, draft, scope);
  CheckCounting(draft, scope);
  CheckGroups(draft, scope);
  if (scope.error_count() != errors) return std::nullopt;
  return draft;
}

std::vector<std::string_view> RuleElementNames() {
  std::vector<std::string_view> names;
  for (const ConditionSpec& spec : ConditionTable()) {
    names.push_back(spec.element);
    if (!spec.twin.empty()) names.push_back(spec.twin);
  }
  for (const ElementRow& row : kElements) names.push_back(row.name);
  for (const std::string& name : ComparisonNames()) names.push_back(name);
  return names;
}

std::vector<std::string_view> RuleAttributeNames() {
  std::vector<std::string_view> names;
  for (const AttributeRow& row : kAttributes) names.push_back(row.name);
  return names;
}

}  // namespace ospatrol::analysisd
