#include "analysisd/condition_pattern.h"

#include <fmt/format.h>

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

Comparison ReadType(const ConditionInput& input) {
  if (input.pcre2) return {Language::kPcre2, false};
  const Comparison usual{input.spec.language, input.spec.exact};
  const std::string* type = input.last().FindAttributeIgnoringCase("type");
  if (type == nullptr) return usual;
  if (base::EqualsIgnoreCase(*type, "osmatch")) return {Language::kOsMatch, false};
  if (base::EqualsIgnoreCase(*type, "osregex")) return {Language::kOsRegex, false};
  if (base::EqualsIgnoreCase(*type, "pcre2")) return {Language::kPcre2, false};
  input.Warning(fmt::format("type='{}' is unknown and ignored", base::EscapeControls(*type)),
                "expected osmatch, osregex or pcre2");
  return usual;
}

}  // namespace

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
  made.pattern_ = pattern::Pattern::Compile(comparison.language, made.text_, &error);
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
