// <compiled_rule>: one of the functions of compiled_rules.cpp.
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "analysisd/compiled_rules.h"
#include "analysisd/condition_factories.h"
#include "base/text.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

class CompiledRuleCondition : public Condition {
 public:
  // `function` may be null: a function that this product does not have never holds.
  CompiledRuleCondition(std::string name, const CompiledRule* function)
      : name_(std::move(name)), function_(function) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    return function_ != nullptr && function_->holds(event);
  }
  std::string_view element() const override { return "compiled_rule"; }
  std::string Describe(const Event&) const override {
    return fmt::format("compiled_rule {}{}", name_, function_ == nullptr ? " (unknown)" : "");
  }

 private:
  std::string name_;
  const CompiledRule* function_;
};

}  // namespace

std::unique_ptr<const Condition> MakeCompiledRule(const ConditionInput& input) {
  const std::string& name = input.last().content;
  const CompiledRule* function = FindCompiledRule(name);
  if (function == nullptr) {
    std::vector<std::string_view> known;
    for (const CompiledRule& row : CompiledRules()) known.push_back(row.name);
    if (!base::NearestName(name, known).empty()) {
      input.Error(msg::kCompiledRule.id,
                  fmt::format("no function '{}'", base::EscapeControls(name)),
                  config::Suggest(name, known));
      return nullptr;
    }
    // A function that a user compiled into an OSSEC: the rule is lost, the others are not.
    input.scope.WarningWithId(
        msg::kCompiledRule.id, input.last().line,
        fmt::format("<compiled_rule>: no function '{}'; functions in C cannot be added, so this "
                    "rule never matches",
                    base::EscapeControls(name)),
        config::Suggest(name, known));
  }
  return std::make_unique<CompiledRuleCondition>(name, function);
}

}  // namespace ospatrol::analysisd
