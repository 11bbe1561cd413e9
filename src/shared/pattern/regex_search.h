// Runs a regular expression with whichever engine answers soonest, and never for long.
#pragma once

#include <string>
#include <string_view>

#include "pattern/linear.h"
#include "pattern/pattern.h"
#include "pattern/pcre2_code.h"

namespace ospatrol::pattern {

// Does `code` match `subject`? `fallback` is the same pattern for the linear matcher, none when it
// is not regular. `match` may be null. `text`: of the pattern.
bool BoundedSearch(const Pcre2Code& code, const Linear& fallback, std::string_view subject,
                   Match* match, const std::string& text);

}  // namespace ospatrol::pattern
