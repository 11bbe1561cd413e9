// <field name="F">: a dynamic field of the event.
#include <fmt/format.h>

#include <utility>

#include "analysisd/condition_factories.h"
#include "analysisd/condition_pattern.h"
#include "base/text.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

class FieldCondition : public Condition {
 public:
  FieldCondition(std::string name, FieldPattern pattern)
      : name_(std::move(name)), pattern_(std::move(pattern)) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    return pattern_.Holds(event.GetDynamic(name_));
  }
  RequiredTexts Required() const override {
    return {RequiredTexts::Source::kField, pattern_.Texts()};
  }
  const std::string* PatternText() const override { return pattern_.PatternText(); }
  std::string_view element() const override { return "field"; }
  std::string Describe(const Event& event) const override {
    return fmt::format("field {} {}", name_, pattern_.Describe(event.GetDynamic(name_)));
  }

 private:
  std::string name_;
  FieldPattern pattern_;
};

}  // namespace

std::unique_ptr<const Condition> MakeField(const ConditionInput& input) {
  const std::string* name = input.last().FindAttributeIgnoringCase("name");
  if (name == nullptr || name->empty()) {
    input.Error(msg::kInvalidAttribute.id, "lacks the attribute 'name'",
                "expected name=\"...\", the name of a field that a decoder extracts");
    return nullptr;
  }
  std::optional<FieldPattern> pattern = FieldPattern::Make(input);
  if (!pattern) return nullptr;
  return std::make_unique<FieldCondition>(*name, std::move(*pattern));
}

}  // namespace ospatrol::analysisd
