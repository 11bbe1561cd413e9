// Characters of a subject that may or may not be UTF-8: logs contain both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::pattern {

// A code point, or kStrayByte + byte for a byte that is not part of a valid UTF-8 sequence.
struct Character {
  char32_t code;
  uint32_t size;  // bytes
};

inline constexpr char32_t kStrayByte = 0x110000;

// The character at `at`. REQUIRES: at < text.size().
Character DecodeCharacter(std::string_view text, size_t at);

bool IsAscii(std::string_view text);
bool IsValidUtf8(std::string_view text);
void AppendUtf8(char32_t code, std::string& out);

// Does the text hold U+017F or U+212A, the two characters above ASCII that fold to an ASCII letter
// (s, k)? Without them an ASCII literal can be searched by bytes.
bool HasLetterTwins(std::string_view text);

// All characters that are equal to `code` when case is ignored, itself included (Unicode simple
// case folding as PCRE2 has it). Slow for code points above ASCII: for compiling patterns only.
std::vector<char32_t> CaseEquivalents(char32_t code);

}  // namespace ospatrol::pattern
