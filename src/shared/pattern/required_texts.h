// Texts of which one must occur wherever a pattern matches: what a multi-pattern search can look
// for instead of the pattern.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pattern/syntax.h"

namespace ospatrol::pattern {

// Lower-case ASCII texts of which at least one occurs, in any case, in every subject without letter
// twins (characters.h) that the tree matches; none is a part of another. Of all such sets that are
// seen, the one that is expected least often in logs, with as few texts as that allows; one that
// LiteralScan can look for, if there is any. Empty: nothing is known.
std::vector<std::string> RequiredTexts(const Syntax& syntax);

// Bytes of the shortest one; 0: there is none.
size_t ShortestOf(const std::vector<std::string>& texts);

// The share of the places of a log where one of the texts is expected, roughly.
double ExpectedShare(const std::vector<std::string>& texts);

}  // namespace ospatrol::pattern
