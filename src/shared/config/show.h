// Texts of a file inside messages: one line each, of a readable length.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ospatrol::config {

// `text` with every run of white space and control bytes as one blank, cut at 80 bytes with "..."
// behind.
std::string Show(std::string_view text);

// "did you mean 'level'?", or "expected one of: a, b, c" when nothing is near and the list is
// short, or empty.
std::string Suggest(std::string_view word, std::span<const std::string_view> known);

}  // namespace ospatrol::config
