// What a condition on one value wants of it: a pattern with its attributes `type` and `negate`, or
// equality.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "analysisd/condition_registry.h"
#include "pattern/pattern.h"

namespace ospatrol::analysisd {

class FieldPattern {
 public:
  // The joined text of the elements; `type` and `negate` of the last one hold for all of it.
  // Nothing after an error, which was told.
  static std::optional<FieldPattern> Make(const ConditionInput& input);

  // False for an unset value, also when negated.
  bool Holds(std::string_view value) const {
    if (!IsSet(value)) return false;
    if (pattern_ == nullptr) return (value == text_) != negated_;
    return pattern_->Matches(value) != negated_;
  }

  // Of the pattern; empty when nothing is known.
  const std::vector<std::string>* Texts() const {
    const bool known = pattern_ != nullptr && !negated_ && !pattern_->Literals().empty();
    return known ? &pattern_->Literals() : nullptr;
  }

  const std::string* PatternText() const { return pattern_ != nullptr ? &text_ : nullptr; }

  // "'Failed password' against 'Accepted password'"
  std::string Describe(std::string_view value) const;

 private:
  std::unique_ptr<const pattern::Pattern> pattern_;  // null: equality
  bool negated_ = false;
  std::string text_;
};

// `negate` of an element: yes or no; anything else is a WARN and no.
bool ReadNegate(const ConditionInput& input);

// For descriptions: 'value', cut when it is long, or "(not set)".
std::string Shown(std::string_view value);

}  // namespace ospatrol::analysisd
