// The elements same_X and different_X: what earlier events must have in common with the present one
// (4.9).
#pragma once

#include <string>
#include <vector>

#include "analysisd/rule_draft.h"
#include "config/dialect.h"

namespace ospatrol::analysisd {

// False when the element is none of them. Errors go to `scope`.
bool ReadComparison(const config::Element& element, RuleDraft& draft, RuleScope& scope);

// All of their names.
const std::vector<std::string>& ComparisonNames();

}  // namespace ospatrol::analysisd
