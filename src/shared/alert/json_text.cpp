#include "alert/json_text.h"

#include <fmt/format.h>

#include <array>
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

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  size_t plain = 0;  // where the run of bytes begins that go out as they are
  size_t at = 0;
  while (at < text.size()) {
    const uint8_t kind = kClasses[Byte(text, at)];
    if (kind == kPlain) {
      ++at;
      continue;
    }
    const Sequence sequence = kind == kMultibyte ? SequenceAt(text, at) : Sequence{};
    if (sequence.valid) {
      at += sequence.length;
      continue;
    }
    out += text.substr(plain, at - plain);
    if (kind == kEscape) {
      AppendEscape(text[at], out);
    } else {
      out += kReplacement;
    }
    at += sequence.length;
    plain = at;
  }
  out += text.substr(plain);
  out += '"';
}

void JsonObject::Key(std::string_view key) {
  Comma();
  out_ += '"';
  out_ += key;
  out_ += "\":";
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
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonObject::Number(std::string_view key, uint64_t value) {
  Key(key);
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

}  // namespace ospatrol::alert
