// os_regex (rules-and-decoders 2.4-2.6) read and translated.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pattern/pattern.h"
#include "pattern/syntax.h"

namespace ospatrol::pattern {

struct OsRegex {
  // For PCRE2 with CASELESS and DOTALL: `bytes` for ASCII subjects; `utf` for UTF-8 subjects, empty
  // when the pattern is not UTF-8 itself.
  std::string bytes;
  std::string utf;
  // Nothing for the rare pattern that repeats a group that can be empty.
  std::optional<Syntax> syntax;
};

// Nothing when the text is not an os_regex; then `error` is set.
std::optional<OsRegex> TranslateOsRegex(std::string_view text, CompileError& error);

}  // namespace ospatrol::pattern
