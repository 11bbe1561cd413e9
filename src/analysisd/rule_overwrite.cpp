// <rule overwrite="yes"> (4.8): which parts of the earlier rule stay.
#include <algorithm>
#include <utility>

#include "analysisd/condition_registry.h"
#include "analysisd/rule_draft.h"
#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

bool IsTwin(const ConditionSpec& spec, std::string_view element) {
  return !spec.twin.empty() && base::EqualsIgnoreCase(spec.twin, element);
}

// OSSEC keeps lists, fields, GeoIP and everything on PCRE2 of the old rule and drops the new
// rule's.
bool Survives(const config::Element& element) {
  const ConditionSpec* spec = FindCondition(element.name);
  return spec != nullptr && (spec->survives_overwrite || IsTwin(*spec, element.name));
}

std::vector<config::Element> MergeConditions(const RuleDraft& original,
                                             const RuleDraft& replacement) {
  std::vector<config::Element> merged;
  std::copy_if(original.conditions.begin(), original.conditions.end(), std::back_inserter(merged),
               [](const config::Element& element) { return Survives(element); });
  std::copy_if(replacement.conditions.begin(), replacement.conditions.end(),
               std::back_inserter(merged),
               [](const config::Element& element) { return !Survives(element); });
  return merged;
}

// What is counted stays what it was; without an old <if_matched_...> nothing is counted.
void KeepCounted(const RuleDraft& original, RuleDraft& result) {
  const bool counts = result.if_matched_sid || result.if_matched_group || result.if_matched_regex;
  if (!counts) return;
  result.if_matched_sid = original.if_matched_sid;
  result.if_matched_group = original.if_matched_group;
  result.if_matched_regex = original.if_matched_regex;
}

}  // namespace

RuleDraft Overwrite(const RuleDraft& original, RuleDraft replacement, bool compatible) {
  RuleDraft result = std::move(replacement);
  result.overwrite = false;
  result.id = original.id;
  if (!compatible) return result;

  result.conditions = MergeConditions(original, result);
  result.both_urls = true;
  KeepCounted(original, result);
  result.if_sid = original.if_sid;
  result.if_group = original.if_group;
  result.if_level = original.if_level;
  result.category = original.category;
  result.ignore_fields = original.ignore_fields;
  result.check_ignored_fields = original.check_ignored_fields;
  result.infos = original.infos;
  return result;
}

}  // namespace ospatrol::analysisd
