// Conditions on one text of the event: <match>, <regex>, <id>, <user>, ... and their twins on
// PCRE2.
#include <fmt/format.h>

#include <utility>

#include "analysisd/condition_factories.h"
#include "analysisd/condition_pattern.h"

namespace ospatrol::analysisd {
namespace {

class TextCondition : public Condition {
 public:
  TextCondition(const ConditionSpec& spec, bool pcre2, FieldPattern pattern)
      : read_(spec.read), pattern_(std::move(pattern)), spec_(spec), pcre2_(pcre2) {}

  bool Holds(const Event& event, ConditionContext&) const override {
    return pattern_.Holds(read_(event));
  }
  RequiredTexts Required() const override {
    if (!spec_.source) return {};
    return {*spec_.source, pattern_.Texts()};
  }
  const std::string* PatternText() const override { return pattern_.PatternText(); }
  std::string_view element() const override { return pcre2_ ? spec_.twin : spec_.element; }
  std::string Describe(const Event& event) const override {
    return fmt::format("{} {}", element(), pattern_.Describe(spec_.read(event)));
  }

 private:
  // What every event needs comes first: memory is slower than the comparison.
  std::string_view (*read_)(const Event& event);
  FieldPattern pattern_;
  const ConditionSpec& spec_;
  bool pcre2_;
};

}  // namespace

std::unique_ptr<const Condition> MakeText(const ConditionInput& input) {
  std::optional<FieldPattern> pattern = FieldPattern::Make(input);
  if (!pattern) return nullptr;
  return std::make_unique<TextCondition>(input.spec, input.pcre2, std::move(*pattern));
}

}  // namespace ospatrol::analysisd
