#include "analysisd/rule_compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "analysisd/condition_factories.h"
#include "analysisd/condition_registry.h"
#include "base/text.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

std::shared_ptr<const pattern::Pattern> CompilePattern(pattern::Language language,
                                                       const RuleDraft::Joined& joined,
                                                       std::string_view element, RuleScope& scope) {
  pattern::CompileError error;
  std::shared_ptr<const pattern::Pattern> compiled =
      pattern::Pattern::Compile(language, joined.text, &error);
  if (compiled == nullptr) {
    scope.Error(msg::kBadPattern.id, joined.line,
                fmt::format("<{}>: pattern '{}' does not compile: {} (at byte {})", element,
                            base::EscapeControls(joined.text), error.reason, error.offset));
  }
  return compiled;
}

std::optional<int> ReadNumber(const RuleDraft::Joined& joined, std::string_view element,
                              RuleScope& scope) {
  const std::optional<int> number = base::ParseNumber<int>(base::Trim(joined.text));
  if (!number || *number < 0) {
    scope.Error(
        msg::kInvalidValue.id, joined.line,
        fmt::format("<{}>: '{}' is not a number", element, base::EscapeControls(joined.text)),
        "expected digits only");
    return std::nullopt;
  }
  return number;
}

// The reference does not look at these when it searches by <if_matched_regex>.
void DropUntested(Correlation& correlation, RuleScope& scope, int line) {
  const auto untested = [&](const ComparedValue& value) {
    const bool drop = value.source == ComparedValue::Source::kHostname ||
                      (value.source == ComparedValue::Source::kField &&
                       (value.field == Field::kSrcPort || value.field == Field::kDstPort));
    if (drop) {
      scope.Warning(line, fmt::format("<if_matched_regex> does not compare {}: the element has no "
                                      "effect",
                                      value.Name()));
    }
    return drop;
  };
  std::erase_if(correlation.same, untested);
}

std::unique_ptr<Correlation> CompileCorrelation(const RuleDraft& draft, RuleScope& scope) {
  auto correlation = std::make_unique<Correlation>();
  correlation->same = draft.same;
  correlation->different = draft.different;
  if (draft.if_matched_sid) {
    const auto sid = ReadNumber(draft.if_matched_sid, "if_matched_sid", scope);
    if (!sid) return nullptr;
    correlation->kind = Correlation::Kind::kSid;
    correlation->sid = *sid;
  } else if (draft.if_matched_group) {
    correlation->kind = Correlation::Kind::kGroup;
    correlation->pattern = CompilePattern(pattern::Language::kOsMatch, draft.if_matched_group,
                                          "if_matched_group", scope);
  } else if (draft.if_matched_regex) {
    correlation->kind = Correlation::Kind::kRegex;
    correlation->pattern = CompilePattern(pattern::Language::kOsRegex, draft.if_matched_regex,
                                          "if_matched_regex", scope);
    DropUntested(*correlation, scope, draft.comparison_line);
  } else {
    return nullptr;
  }
  return correlation;
}

void SetFlags(const RuleDraft& draft, const EngineOptions& options, Rule& rule) {
  rule.log = rule.level >= options.log_alert_level;
  rule.mail = rule.level >= options.email_alert_level;
  for (const std::string& option : draft.options) {
    if (option == "alert_by_email") rule.mail = true;
    if (option == "no_email_alert") rule.mail = false;
    if (option == "log_alert") rule.log = true;
    if (option == "no_log") rule.log = false;
    if (option == "no_ar") rule.no_active_response = true;
  }
}

// FNV-1a over id and conditions; level, flags and texts for people may change without consequence.
class Fingerprint {
 public:
  void Add(std::string_view text) {
    for (const char c : text) AddByte(static_cast<unsigned char>(c));
    AddByte(0);
  }
  void Add(int64_t number) { Add(std::to_string(number)); }
  uint64_t value() const { return hash_; }

 private:
  void AddByte(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3ull; }
  uint64_t hash_ = 0xcbf29ce484222325ull;
};

uint64_t FingerprintOf(const RuleDraft& draft, const Rule& rule) {
  Fingerprint print;
  for (const int number :
       {rule.id, rule.frequency, rule.timeframe, draft.maxsize, static_cast<int>(rule.category)}) {
    print.Add(number);
  }
  print.Add(rule.group);
  for (const RuleDraft::Joined* joined :
       {&draft.if_sid, &draft.if_group, &draft.if_level, &draft.if_matched_sid,
        &draft.if_matched_group, &draft.if_matched_regex}) {
    print.Add(joined->text);
  }
  for (const ComparedValue& value : draft.same) print.Add("same " + value.Name());
  for (const ComparedValue& value : draft.different) print.Add("different " + value.Name());
  for (const config::Element& element : draft.conditions) {
    print.Add(base::ToLower(element.name));
    for (const config::Attribute& attribute : element.attributes) {
      print.Add(attribute.name);
      print.Add(attribute.value);
    }
    print.Add(element.content);
  }
  return print.value();
}

std::vector<int> ReadSids(const RuleDraft::Joined& joined, std::string_view element,
                          RuleScope& scope) {
  std::vector<int> sids;
  for (const std::string_view word : base::SplitWords(joined.text, ", \t\r\n\v\f")) {
    const auto sid = base::ParseNumber<int>(word);
    if (!sid || *sid < 0) {
      scope.Error(msg::kInvalidValue.id, joined.line,
                  fmt::format("<{}>: '{}' is not a rule id", element, base::EscapeControls(word)),
                  "expected ids separated by commas or blanks");
      continue;
    }
    if (std::find(sids.begin(), sids.end(), *sid) == sids.end()) sids.push_back(*sid);
  }
  if (sids.empty()) {
    scope.Error(msg::kInvalidValue.id, joined.line, fmt::format("<{}>: names no rule", element),
                "expected ids separated by commas or blanks");
  }
  return sids;
}

}  // namespace

Rule CompileRule(const RuleDraft& draft, const EngineOptions& options, RuleScope& scope) {
  Rule rule;
  rule.id = draft.id;
  rule.level = draft.level.value_or(0);
  rule.noalert = draft.noalert;
  rule.ignore_seconds = draft.ignore_seconds;
  rule.frequency = draft.frequency;
  rule.timeframe = draft.timeframe.value_or(options.default_timeframe);
  rule.accurate = draft.accurate;
  rule.category = draft.category.value_or(Category::kSyslog);
  rule.description = draft.description;
  rule.group = draft.group;
  rule.info_text = draft.info_text;
  rule.cve = draft.cve;
  rule.infos = draft.infos;
  rule.mitre_ids = draft.mitre_ids;
  rule.ignore_fields = draft.ignore_fields;
  rule.check_ignored_fields = draft.check_ignored_fields;
  rule.file = draft.file;
  rule.line = draft.line;
  SetFlags(draft, options, rule);

  rule.conditions = MakeConditions(draft, scope);
  for (const auto& condition : rule.conditions) {
    if (condition->element() == "decoded_as") rule.decoder_name_id = DecoderNameId(*condition);
    if (condition->element() == "check_diff") rule.check_diff = true;
  }
  rule.correlation = CompileCorrelation(draft, scope);
  rule.fingerprint = FingerprintOf(draft, rule);
  return rule;
}

std::optional<Parents> ReadParents(const RuleDraft& draft, RuleScope& scope) {
  const size_t errors = scope.error_count();
  Parents parents;
  const bool neither = !draft.if_sid && !draft.if_group;
  const RuleDraft::Joined* group = nullptr;
  if (draft.if_sid) {
    parents.sids = ReadSids(draft.if_sid, "if_sid", scope);
    parents.line = draft.if_sid.line;
  } else if (draft.if_matched_sid && neither) {
    parents.sids = ReadSids(draft.if_matched_sid, "if_matched_sid", scope);
    parents.line = draft.if_matched_sid.line;
  } else if (draft.if_level) {
    parents.level = ReadNumber(draft.if_level, "if_level", scope);
    parents.line = draft.if_level.line;
    if (parents.level == 0) {
      scope.Error(msg::kInvalidValue.id, parents.line, "<if_level>: 0 is no level",
                  "expected 1 to 16");
    }
  } else if (draft.if_group) {
    group = &draft.if_group;
  } else if (draft.if_matched_group) {
    group = &draft.if_matched_group;
  }
  if (group != nullptr) {
    parents.group = group->text;
    parents.line = group->line;
    parents.group_pattern = CompilePattern(pattern::Language::kWord, *group, "if_group", scope);
  }
  if (scope.error_count() != errors) return std::nullopt;
  return parents;
}

}  // namespace ospatrol::analysisd
