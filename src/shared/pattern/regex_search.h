// Runs a regular expression with whichever engine answers soonest, and never for long.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "pattern/pattern.h"
#include "pattern/pcre2_code.h"
#include "pattern/program.h"

namespace ospatrol::pattern {

// Does `code` match `subject`? `fallback` is the same pattern for the linear matcher, or null when
// it is not regular. `match` may be null. `text`: of the pattern, for the report of a search that
// is given up.
bool BoundedSearch(const Pcre2Code& code, const Program* fallback, std::string_view subject,
                   Match* match, std::string_view text);

}  // namespace ospatrol::pattern
