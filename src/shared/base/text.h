// Text in bytes: splitting, trimming, numbers, comparison. ASCII only; no locale.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::base {

inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
inline bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool IsAlpha(char c) { return IsLower(c) || IsUpper(c); }
inline bool IsAlnum(char c) { return IsDigit(c) || IsAlpha(c); }
inline bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
inline bool IsControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }
inline char ToLower(char c) { return IsUpper(c) ? static_cast<char>(c + 32) : c; }

std::string ToLower(std::string_view text);
bool EqualsIgnoreCaseOfSameSize(std::string_view a, std::string_view b);
inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && EqualsIgnoreCaseOfSameSize(a, b);
}
bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix);
bool AllDigits(std::string_view text);  // false for the empty text

// White space is blank, TAB, LF, VT, FF, CR.
std::string_view Trim(std::string_view text);

// The pieces lie in `text`: one that would be gone before them does not compile.
// Pieces between separators, empty ones included. Split("", ',') is one empty piece.
std::vector<std::string_view> Split(std::string_view text, char separator);
template <std::same_as<std::string> Temporary>
std::vector<std::string_view> Split(Temporary&& text, char separator) = delete;

// Pieces between runs of any of `separators`; no empty ones.
std::vector<std::string_view> SplitWords(std::string_view text, std::string_view separators);
template <std::same_as<std::string> Temporary>
std::vector<std::string_view> SplitWords(Temporary&& text, std::string_view separators) = delete;

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);

// Decimal digits only (a leading '-' for signed types); nothing before or behind; in range of Int.
template <typename Int>
std::optional<Int> ParseNumber(std::string_view text) {
  Int value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// The candidate with the smallest edit distance to `word`, or empty when none is near (more than a
// third differs).
std::string_view NearestName(std::string_view word, std::span<const std::string_view> candidates);

// Is there one that IsControl? Looks at many bytes at a time.
bool HasControlBytes(std::string_view text);

// For log lines: control bytes and backslash become \n, \t, \xHH, \\; other bytes stay.
std::string EscapeControls(std::string_view text);

}  // namespace ospatrol::base
