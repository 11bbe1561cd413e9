// The checks of lint.cpp's table; each tells what it finds as warnings with file and line.
#pragma once

#include "logtest/lint.h"

namespace ospatrol::logtest {

// Rules (lint_rules.cpp).
void FindUnreachableRules(const LintInput& input, config::Problems& found);
void FindIdleRules(const LintInput& input, config::Problems& found);
void FindUnknownFields(const LintInput& input, config::Problems& found);

// Decoders (lint_decoders.cpp).
void FindUnreachableRoots(const LintInput& input, config::Problems& found);
void FindUnreachableChildren(const LintInput& input, config::Problems& found);
void FindOrderMismatches(const LintInput& input, config::Problems& found);

// Patterns of both (lint_patterns.cpp).
void FindDeadPatterns(const LintInput& input, config::Problems& found);
void FindLeadingAnything(const LintInput& input, config::Problems& found);

}  // namespace ospatrol::logtest
