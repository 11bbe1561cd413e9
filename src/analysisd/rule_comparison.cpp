#include "analysisd/rule_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

using config::Element;

ComparedValue OfField(Field field) { return {ComparedValue::Source::kField, field, {}}; }

struct ComparedName {
  std::string_view name;  // behind same_ and different_
  ComparedValue::Source source;
  Field field;
};

// One value may have several names; the first is the usual one.
constexpr std::array kCompared{
    ComparedName{"source_ip", ComparedValue::Source::kField, Field::kSrcIp},
    ComparedName{"srcip", ComparedValue::Source::kField, Field::kSrcIp},
    ComparedName{"dstip", ComparedValue::Source::kField, Field::kDstIp},
    ComparedName{"src_port", ComparedValue::Source::kField, Field::kSrcPort},
    ComparedName{"srcport", ComparedValue::Source::kField, Field::kSrcPort},
    ComparedName{"dst_port", ComparedValue::Source::kField, Field::kDstPort},
    ComparedName{"dstport", ComparedValue::Source::kField, Field::kDstPort},
    ComparedName{"id", ComparedValue::Source::kField, Field::kId},
    ComparedName{"user", ComparedValue::Source::kField, Field::kDstUser},
    ComparedName{"srcuser", ComparedValue::Source::kField, Field::kSrcUser},
    ComparedName{"location", ComparedValue::Source::kHostname, Field::kCount},
    ComparedName{"url", ComparedValue::Source::kField, Field::kUrl},
    ComparedName{"srcgeoip", ComparedValue::Source::kField, Field::kSrcGeoip},
    ComparedName{"dstgeoip", ComparedValue::Source::kField, Field::kDstGeoip},
    ComparedName{"protocol", ComparedValue::Source::kField, Field::kProtocol},
    ComparedName{"action", ComparedValue::Source::kField, Field::kAction},
    ComparedName{"data", ComparedValue::Source::kField, Field::kData},
    ComparedName{"extra_data", ComparedValue::Source::kField, Field::kData},
    ComparedName{"status", ComparedValue::Source::kField, Field::kStatus},
    ComparedName{"system_name", ComparedValue::Source::kField, Field::kSystemName},
    ComparedName{"field", ComparedValue::Source::kDynamic, Field::kCount},
};

// The fixed field that goes by `name` in <order>; same_field takes those too.
Field FixedField(std::string_view name) {
  for (const ComparedName& row : kCompared) {
    if (row.source == ComparedValue::Source::kField && base::EqualsIgnoreCase(row.name, name)) {
      return row.field;
    }
  }
  if (base::EqualsIgnoreCase(name, "dstuser")) return Field::kDstUser;
  if (base::EqualsIgnoreCase(name, "filename")) return Field::kFilename;
  return Field::kCount;
}

const ComparedName* FindCompared(std::string_view name) {
  for (const ComparedName& row : kCompared) {
    if (base::EqualsIgnoreCase(row.name, name)) return &row;
  }
  return nullptr;
}

std::optional<ComparedValue> ReadCompared(const ComparedName& row, const Element& element,
                                          RuleScope& scope) {
  if (row.source == ComparedValue::Source::kHostname) {
    return ComparedValue{ComparedValue::Source::kHostname, Field::kCount, {}};
  }
  if (row.source == ComparedValue::Source::kField) return OfField(row.field);
  const std::string_view name = base::Trim(element.content);
  if (name.empty()) {
    scope.Error(msg::kInvalidValue.id, element.line,
                fmt::format("<{}>: names no field", element.name),
                "expected the name of one decoded field");
    return std::nullopt;
  }
  if (const Field fixed = FixedField(name); fixed != Field::kCount) return OfField(fixed);
  return ComparedValue{ComparedValue::Source::kDynamic, Field::kCount, base::ToLower(name)};
}

void AddOnce(std::vector<ComparedValue>& values, ComparedValue value) {
  if (std::find(values.begin(), values.end(), value) == values.end()) {
    values.push_back(std::move(value));
  }
}

constexpr std::string_view kSame = "same_";
constexpr std::string_view kDifferent = "different_";

}  // namespace

bool ReadComparison(const Element& element, RuleDraft& draft, RuleScope& scope) {
  const std::string name = base::ToLower(element.name);
  const bool same = name.starts_with(kSame);
  if (!same && !name.starts_with(kDifferent)) return false;
  const ComparedName* row =
      FindCompared(std::string_view(name).substr(same ? kSame.size() : kDifferent.size()));
  if (row == nullptr) return false;
  if (std::optional<ComparedValue> value = ReadCompared(*row, element, scope)) {
    AddOnce(same ? draft.same : draft.different, std::move(*value));
  }
  if (name == "different_srcip") {
    scope.Warning(element.line,
                  fmt::format("<{}>: OSSEC accepts this element and does not test it; here earlier "
                              "events must have another srcip",
                              element.name));
  }
  if (draft.comparison_line == 0) draft.comparison_line = element.line;
  return true;
}

const std::vector<std::string>& ComparisonNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> built;
    for (const ComparedName& row : kCompared) {
      built.push_back(fmt::format("{}{}", kSame, row.name));
      built.push_back(fmt::format("{}{}", kDifferent, row.name));
    }
    return built;
  }();
  return names;
}

}  // namespace ospatrol::analysisd
