#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <numeric>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ospatrol::base {

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ToLower(c);
  return lower;
}

bool EqualsIgnoreCaseOfSameSize(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](char x, char y) { return ToLower(x) == ToLower(y); });
}

bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  pieces.reserve(static_cast<size_t>(std::count(text.begin(), text.end(), separator)) + 1);
  for (size_t end = text.find(separator); end != text.npos; end = text.find(separator)) {
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  pieces.push_back(text);
  return pieces;
}

std::vector<std::string_view> SplitWords(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  for (size_t begin = text.find_first_not_of(separators); begin != text.npos;) {
    const size_t end = text.find_first_of(separators, begin);
    words.push_back(text.substr(begin, end == text.npos ? end : end - begin));
    begin = text.find_first_not_of(separators, end);
  }
  return words;
}

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  if (from.empty()) return std::string(text);
  for (size_t at = text.find(from); at != text.npos; at = text.find(from)) {
    result.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return result.append(text);
}

namespace {

// Letters that are added, left out, wrong, or swapped with their neighbour, three rows at a time:
// O(|a| * |b|) time, O(|b|) memory.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({substituted, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view NearestName(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr size_t kLongestName =
      128;  // a longer word is no misspelled name; it bounds the cost too
  if (word.size() > kLongestName) return {};
  const std::string lower = ToLower(word);
  std::string_view nearest;
  size_t smallest = kLongestName;
  for (const std::string_view candidate : candidates) {
    const size_t distance = EditDistance(lower, ToLower(candidate));
    if (distance < smallest && distance * 3 <= std::max(word.size(), candidate.size())) {
      nearest = candidate;
      smallest = distance;
    }
  }
  return nearest;
}

bool HasControlBytes(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
#if defined(__SSE2__)
  constexpr size_t kBlock = 16;
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i del = _mm_set1_epi8(0x7f);
  const auto has_control = [&](const char* block) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    return _mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, del))) != 0;
  };
  for (; static_cast<size_t>(end - at) >= kBlock; at += kBlock) {
    if (has_control(at)) return true;
  }
  // The last block overlaps the one before it.
  if (text.size() >= kBlock) return has_control(end - kBlock);
#endif
  return std::any_of(at, end, IsControl);
}

std::string EscapeControls(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (IsControl(c)) {
      fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", static_cast<unsigned>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace ospatrol::base
