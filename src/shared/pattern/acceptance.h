// Patterns of which it is known without asking that PCRE2 compiles them.
#pragma once

#include "pattern/syntax.h"

namespace ospatrol::pattern {

// Does PCRE2 accept the text that `syntax` was read from (OutlineOfPcre2) or that was made with it
// (TranslateOsRegex)? True for nearly all patterns that people write; false says nothing. Then only
// a lack of memory can keep PCRE2 from compiling it.
bool IsSurelyAccepted(const Syntax& syntax);

}  // namespace ospatrol::pattern
