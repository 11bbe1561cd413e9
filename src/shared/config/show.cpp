#include "config/show.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace ospatrol::config {
namespace {

constexpr size_t kShownBytes = 80;
constexpr size_t kShortList = 26;
constexpr size_t kLongestName = 64;  // longer words resemble no name; comparing them is slow

bool IsUnreadable(char c) { return (c >= 0 && c <= ' ') || c == '\x7F'; }

}  // namespace

std::string Show(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (out.size() >= kShownBytes) return out + "...";
    if (!IsUnreadable(text[i])) {
      out += text[i];
    } else if (i == 0 || !IsUnreadable(text[i - 1])) {
      out += ' ';
    }
  }
  return out;
}

std::string Suggest(std::string_view word, std::span<const std::string_view> known) {
  const std::string_view near =
      word.size() <= kLongestName ? base::NearestName(word, known) : std::string_view();
  if (!near.empty()) return fmt::format("did you mean '{}'?", near);
  if (known.size() > kShortList) return {};
  return fmt::format("expected one of: {}", fmt::join(known, ", "));
}

}  // namespace ospatrol::config
