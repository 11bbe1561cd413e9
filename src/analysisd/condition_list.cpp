// <list field="F" lookup="L" check_value="M">NAME</list> (5.3).
#include <fmt/format.h>

#include <array>
#include <utility>

#include "analysisd/condition_factories.h"
#include "analysisd/condition_pattern.h"
#include "analysisd/list_set.h"
#include "base/text.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

using Read = std::string_view (*)(const Event& event);

template <Field F>
std::string_view ReadField(const Event& event) {
  return event.Get(F);
}

// The other way round than the element <user>.
std::string_view ReadUser(const Event& event) {
  const std::string_view source = event.Get(Field::kSrcUser);
  return IsSet(source) ? source : event.Get(Field::kDstUser);
}

struct FieldRow {
  std::string_view name;
  Read read;
};

constexpr std::array kFields{
    FieldRow{"srcip", ReadField<Field::kSrcIp>},
    FieldRow{"srcport", ReadField<Field::kSrcPort>},
    FieldRow{"dstip", ReadField<Field::kDstIp>},
    FieldRow{"dstport", ReadField<Field::kDstPort>},
    FieldRow{"user", ReadUser},
    FieldRow{"url", ReadField<Field::kUrl>},
    FieldRow{"id", ReadField<Field::kId>},
    FieldRow{"hostname", [](const Event& event) { return event.hostname; }},
    FieldRow{"program_name", [](const Event& event) { return event.program_name; }},
    FieldRow{"status", ReadField<Field::kStatus>},
    FieldRow{"action", ReadField<Field::kAction>},
    FieldRow{"extra_data", ReadField<Field::kData>},
};

struct Lookup {
  std::string_view name;
  bool address;
  bool negated;
  bool checks_value;
};

constexpr std::array kLookups{
    Lookup{"match_key", false, false, false},
    Lookup{"not_match_key", false, true, false},
    Lookup{"match_key_value", false, false, true},
    Lookup{"address_match_key", true, false, false},
    Lookup{"not_address_match_key", true, true, false},
    Lookup{"address_match_key_value", true, false, true},
};

template <typename Table>
const typename Table::value_type* FindRow(const Table& table, std::string_view name) {
  for (const auto& row : table) {
    if (base::EqualsIgnoreCase(row.name, name)) return &row;
  }
  return nullptr;
}

template <typename Table>
std::string Names(const Table& table) {
  std::string names;
  for (const auto& row : table) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

class ListCondition : public Condition {
 public:
  ListCondition(const FieldRow& field, const Lookup& lookup, const List* list, std::string name,
                std::shared_ptr<const pattern::Pattern> value)
      : field_(field),
        lookup_(lookup),
        list_(list),
        name_(std::move(name)),
        value_(std::move(value)) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    const std::string_view key = field_.read(event);
    if (!IsSet(key) || list_ == nullptr || !list_->IsLoaded()) return false;
    const std::optional<std::string_view> value =
        lookup_.address ? list_->FindAddress(key) : list_->Find(key);
    if (lookup_.negated) return !value;
    if (!value) return false;
    return value_ == nullptr || value_->Matches(*value);
  }
  std::string_view element() const override { return "list"; }
  std::string Describe(const Event& event) const override {
    return fmt::format("list {}: {} {}{}, {} is {}", name_, field_.name, lookup_.name,
                       value_ == nullptr ? "" : fmt::format(" '{}'", value_->text()), field_.name,
                       Shown(field_.read(event)));
  }

 private:
  const FieldRow& field_;
  const Lookup& lookup_;
  const List* list_;  // null: not configured
  std::string name_;
  std::shared_ptr<const pattern::Pattern> value_;
};

const FieldRow* ReadFieldName(const ConditionInput& input) {
  const std::string* name = input.last().FindAttributeIgnoringCase("field");
  const FieldRow* row = name == nullptr ? nullptr : FindRow(kFields, *name);
  if (name == nullptr) {
    input.Error(msg::kInvalidAttribute.id, "lacks the attribute 'field'",
                "expected field=\"...\" with one of: " + Names(kFields));
  } else if (row == nullptr) {
    input.Error(msg::kInvalidAttribute.id, fmt::format("field='{}'", base::EscapeControls(*name)),
                "expected one of: " + Names(kFields));
  }
  return row;
}

const Lookup* ReadLookup(const ConditionInput& input) {
  const std::string* name = input.last().FindAttributeIgnoringCase("lookup");
  if (name == nullptr) return kLookups.data();
  const Lookup* row = FindRow(kLookups, *name);
  if (row == nullptr) {
    input.Error(msg::kInvalidAttribute.id, fmt::format("lookup='{}'", base::EscapeControls(*name)),
                "expected one of: " + Names(kLookups));
  }
  return row;
}

std::shared_ptr<const pattern::Pattern> ReadValue(const ConditionInput& input,
                                                  const Lookup& lookup) {
  const std::string* text = input.last().FindAttributeIgnoringCase("check_value");
  if (text == nullptr) {
    input.Error(msg::kInvalidAttribute.id,
                fmt::format("lookup='{}' lacks the attribute 'check_value'", lookup.name),
                "expected check_value=\"...\", what the value of the key must match");
    return nullptr;
  }
  pattern::CompileError error;
  std::shared_ptr<const pattern::Pattern> pattern =
      pattern::Pattern::Compile(pattern::Language::kOsMatch, *text, &error);
  if (pattern == nullptr) {
    input.Error(msg::kBadPattern.id,
                fmt::format("check_value='{}' does not compile: {} (at byte {})",
                            base::EscapeControls(*text), error.reason, error.offset));
  }
  return pattern;
}

}  // namespace

std::unique_ptr<const Condition> MakeList(const ConditionInput& input) {
  const FieldRow* field = ReadFieldName(input);
  const Lookup* lookup = ReadLookup(input);
  if (field == nullptr || lookup == nullptr) return nullptr;
  std::shared_ptr<const pattern::Pattern> value;
  if (lookup->checks_value) {
    value = ReadValue(input, *lookup);
    if (value == nullptr) return nullptr;
  }
  const std::string& name = input.last().content;
  const List* list = input.scope.lists.Find(name);
  if (list == nullptr) {
    input.Warning(fmt::format("no list '{}' is configured: the condition never holds",
                              base::EscapeControls(name)),
                  "name it in <rules><list>");
  } else if (!list->IsLoaded()) {
    input.Error(msg::kRuleList.id, fmt::format("list '{}' cannot be read", list->name()),
                "create the list, or remove the condition");
    return nullptr;
  }
  return std::make_unique<ListCondition>(*field, *lookup, list, name, std::move(value));
}

}  // namespace ospatrol::analysisd
