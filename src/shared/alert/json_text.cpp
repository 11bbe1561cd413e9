#include "alert/json_text.h"

#include <array>
#include <cstring>

#include "alert/copy_run.h"
#include "base/byte_search.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ospatrol::alert {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// What a byte is to a JSON string: itself, an escape, or a part of a longer sequence.
enum Class : uint8_t { kPlain, kEscape, kMultibyte };

constexpr std::array<uint8_t, 256> kClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (size_t i = 0; i < 0x20; ++i) classes[i] = kEscape;
  classes['"'] = classes['\\'] = kEscape;
  for (size_t i = 0x80; i < 0x100; ++i) classes[i] = kMultibyte;
  return classes;
}();

uint8_t Byte(std::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }

struct Sequence {
  size_t length = 1;  // bytes that belong together; of an invalid sequence: its maximal beginning
  bool valid = false;
};

// The sequence at `at` (a byte above 0x7f), by the table of well-formed sequences of the Unicode
// standard (3.9).
Sequence SequenceAt(std::string_view text, size_t at) {
  const uint8_t lead = Byte(text, at);
  size_t length = 0;
  uint8_t low = 0x80, high = 0xBF;  // of the second byte
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {};
  }
  for (size_t i = 1; i < length; ++i) {
    if (at + i >= text.size() || Byte(text, at + i) < low || Byte(text, at + i) > high) {
      return {i, false};
    }
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

// Longest form of one byte: "\u001f".
constexpr size_t kLongest = 6;

char* AppendEscape(char c, char* to) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  constexpr std::string_view kDigits = "0123456789abcdef";
  *to++ = '\\';
  const size_t letter = kShort.find(c);
  if (letter != std::string_view::npos) {
    *to++ = kLetters[letter];
    return to;
  }
  const auto byte = static_cast<uint8_t>(c);
  to = RecordText::Copy("u00", to);
  *to++ = kDigits[byte >> 4];
  *to++ = kDigits[byte & 0xf];
  return to;
}

// Are there bytes that a JSON string does not take as they are, among these eight or sixteen?
struct HasSpecialBytes {
  template <size_t kSize>
  bool operator()(const char* from) const {
#if defined(__SSE2__)
    if constexpr (kSize == sizeof(__m128i)) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      // As signed numbers, bytes above 0x7f are below 0x20, too.
      const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
      const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
      const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
      return _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash))) != 0;
    }
#endif
    uint64_t special = 0;
    for (size_t i = 0; i < kSize; i += sizeof(uint64_t)) {
      const uint64_t bytes = base::ReadEightBytes(from + i);
      special |= bytes | base::BytesBelow(bytes, 0x20) | base::BytesEqual(bytes, '"') |
                 base::BytesEqual(bytes, '\\');
    }
    return (special & base::kByteHighBits) != 0;
  }
};

// Copies the run of plain bytes from `at` on; gives where it ends.
size_t CopyPlain(std::string_view text, size_t at, char*& to) {
  return CopyRun(text, at, to, HasSpecialBytes(),
                 [](char c) { return kClasses[static_cast<uint8_t>(c)] != kPlain; });
}

// Writes the string with its quotes to where there is room for it; gives the end.
char* WriteString(std::string_view text, char* to) {
  *to++ = '"';
  for (size_t at = CopyPlain(text, 0, to); at < text.size(); at = CopyPlain(text, at, to)) {
    if (kClasses[Byte(text, at)] == kEscape) {
      to = AppendEscape(text[at++], to);
      continue;
    }
    const Sequence sequence = SequenceAt(text, at);
    to = RecordText::Copy(sequence.valid ? text.substr(at, sequence.length) : kReplacement, to);
    at += sequence.length;
  }
  *to++ = '"';
  return to;
}

size_t RoomFor(std::string_view text) { return text.size() * kLongest + 2; }

}  // namespace

void AppendJsonString(std::string_view text, RecordText& out) {
  out.End(WriteString(text, out.Begin(RoomFor(text))));
}

void AppendJsonString(std::string_view text, std::string& out) {
  RecordText string;
  AppendJsonString(text, string);
  out += string.view();
}

void JsonObject::Key(std::string_view key) {
  char* to = out_.Begin(key.size() + 4);
  if (!first_) *to++ = ',';
  *to++ = '"';
  to = RecordText::Copy(key, to);
  *to++ = '"';
  *to++ = ':';
  out_.End(to);
  first_ = false;
}

void JsonObject::AnyKey(std::string_view key) {
  if (!first_) out_.Append(',');
  first_ = false;
  AppendJsonString(key, out_);
  out_.Append(':');
}

}  // namespace ospatrol::alert
