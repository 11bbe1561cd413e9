#include "analysisd/condition_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

using pattern::Language;

constexpr size_t kShownBytes = 200;

// The attribute `type`; the row's own language when it is absent or unknown.
struct Comparison {
  Language language;
  bool exact;
};

// Nothing for a name that is unknown.
std::optional<Comparison> ComparisonNamed(std::string_view type) {
  if (base::EqualsIgnoreCase(type, "osmatch")) return Comparison{Language::kOsMatch, false};
  if (base::EqualsIgnoreCase(type, "osregex")) return Comparison{Language::kOsRegex, false};
  if (base::EqualsIgnoreCase(type, "pcre2")) return Comparison{Language::kPcre2, false};
  return std::nullopt;
}

Comparison ReadType(const ConditionInput& input) {
  if (input.pcre2) return {Language::kPcre2, false};
  const Comparison usual{input.spec.language, input.spec.exact};
  const std::string* type = input.last().FindAttributeIgnoringCase("type");
  if (type == nullptr) return usual;
  if (const auto named = ComparisonNamed(*type)) return *named;
  input.Warning(fmt::format("type='{}' is unknown and ignored", base::EscapeControls(*type)),
                "expected osmatch, osregex or pcre2");
  return usual;
}

// The elements of one rule that make one pattern.
struct Together {
  const ConditionSpec* spec;
  Comparison comparison;  // by the last of them
  bool twin;
  std::string text;
};

}  // namespace

void PreparePatterns(const config::Element& rule, PreparedPatterns& patterns) {
  std::vector<Together> found;
  for (const config::Element& element : rule.children) {
    const ConditionSpec* spec = FindCondition(element.name);
    if (spec == nullptr || !spec->takes_pattern()) continue;
    const bool twin = !base::EqualsIgnoreCase(spec->element, element.name);
    Comparison comparison{twin ? Language::kPcre2 : spec->language, !twin && spec->exact};
    const std::string* type = twin ? nullptr : element.FindAttributeIgnoringCase("type");
    if (type != nullptr) comparison = ComparisonNamed(*type).value_or(comparison);
    const auto known = std::find_if(found.begin(), found.end(), [&](const Together& other) {
      return other.spec == spec && other.twin == twin;
    });
    if (known == found.end() || spec->repetition != Repetition::kTogether) {
      found.push_back({spec, comparison, twin, element.content});
    } else {
      known->comparison = comparison;
      known->text += element.content;
    }
  }
  for (const Together& one : found) {
    if (!one.comparison.exact) patterns.Add(one.comparison.language, one.text);
  }
}

bool ReadNegate(const ConditionInput& input) {
  if (input.pcre2) return false;
  const std::string* negate = input.last().FindAttributeIgnoringCase("negate");
  if (negate == nullptr || base::EqualsIgnoreCase(*negate, "no")) return false;
  if (base::EqualsIgnoreCase(*negate, "yes")) return true;
  input.Warning(fmt::format("negate='{}' is unknown and ignored", base::EscapeControls(*negate)),
                "expected yes or no");
  return false;
}

std::string Shown(std::string_view value) {
  if (!IsSet(value)) return "(not set)";
  if (value.size() <= kShownBytes) return fmt::format("'{}'", value);
  return fmt::format("'{}...'", value.substr(0, kShownBytes));
}

std::optional<FieldPattern> FieldPattern::Make(const ConditionInput& input) {
  const Comparison comparison = ReadType(input);
  FieldPattern made;
  made.text_ = input.Joined();
  made.negated_ = ReadNegate(input);
  if (comparison.exact) return made;
  pattern::CompileError error;
  made.pattern_ = input.scope.Compile(comparison.language, made.text_, &error);
  if (made.pattern_ == nullptr) {
    input.Error(msg::kBadPattern.id,
                fmt::format("pattern '{}' does not compile: {} (at byte {})",
                            base::EscapeControls(made.text_), error.reason, error.offset));
    return std::nullopt;
  }
  return made;
}

std::string FieldPattern::Describe(std::string_view value) const {
  return fmt::format("{}{} against {}", negated_ ? "not " : "", Shown(text_), Shown(value));
}

}  // namespace ospatrol::analysisd
