#include "alert/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

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

void AppendEscape(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
  }
}

// Bytes from `at` on that a JSON string takes as they are, eight at a time.
size_t PlainFrom(std::string_view text, size_t at) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x80 * kOnes;
  const auto has_byte_below = [](uint64_t bytes, uint64_t n) {
    return (bytes - n * kOnes) & ~bytes;
  };
  for (; text.size() - at >= 8; at += 8) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, sizeof(bytes));
    const uint64_t special = bytes | has_byte_below(bytes, 0x20) |
                             has_byte_below(bytes ^ (uint64_t{'"'} * kOnes), 1) |
                             has_byte_below(bytes ^ (uint64_t{'\\'} * kOnes), 1);
    if ((special & kHighBits) != 0) break;
  }
  while (at < text.size() && kClasses[Byte(text, at)] == kPlain) ++at;
  return at;
}

void AppendNumber(const fmt::format_int& number, std::string& out) {
  out.append(number.data(), number.size());
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  size_t plain = 0;  // where the run of bytes begins that go out as they are
  size_t at = PlainFrom(text, 0);
  while (at < text.size()) {
    const uint8_t kind = kClasses[Byte(text, at)];
    const Sequence sequence = kind == kMultibyte ? SequenceAt(text, at) : Sequence{};
    if (!sequence.valid) {
      out += text.substr(plain, at - plain);
      if (kind == kEscape) {
        AppendEscape(text[at], out);
      } else {
        out += kReplacement;
      }
      plain = at + sequence.length;
    }
    at = PlainFrom(text, at + sequence.length);
  }
  out += text.substr(plain);
  out += '"';
}

// Keys are short: put together on the side, they go out with one call.
void JsonObject::Key(std::string_view key) {
  std::array<char, 64> bytes;
  if (key.size() + 4 > bytes.size()) {
    AnyKey(key);
    return;
  }
  char* to = bytes.data();
  if (!first_) *to++ = ',';
  *to++ = '"';
  to = std::copy(key.begin(), key.end(), to);
  *to++ = '"';
  *to++ = ':';
  out_.append(bytes.data(), static_cast<size_t>(to - bytes.data()));
  first_ = false;
}

void JsonObject::AnyKey(std::string_view key) {
  Comma();
  AppendJsonString(key, out_);
  out_ += ':';
}

void JsonObject::String(std::string_view key, std::string_view value) {
  Key(key);
  AppendJsonString(value, out_);
}

void JsonObject::Number(std::string_view key, int64_t value) {
  Key(key);
  AppendNumber(fmt::format_int(value), out_);
}

void JsonObject::Number(std::string_view key, uint64_t value) {
  Key(key);
  AppendNumber(fmt::format_int(value), out_);
}

}  // namespace ospatrol::alert
