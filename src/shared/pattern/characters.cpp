#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern/characters.h"

#include <pcre2.h>

#include <memory>

#include "base/byte_search.h"
#include "base/error.h"
#include "base/text.h"

namespace ospatrol::pattern {
namespace {

using base::ReadEightBytes;

constexpr char32_t kLongS = 0x17F;
constexpr char32_t kKelvinSign = 0x212A;
constexpr char32_t kLastCasedPlane = 0x1FFFF;

uint8_t ByteAt(std::string_view text, size_t i) { return static_cast<uint8_t>(text[i]); }

bool IsContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Length a lead byte announces and the limits of its second byte (RFC 3629, table of section 4).
struct Lead {
  uint32_t size = 0;  // 0: no lead byte
  uint8_t second_low = 0x80;
  uint8_t second_high = 0xBF;
};

Lead ClassifyLead(uint8_t byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {.size = 2};
  if (byte == 0xE0) return {.size = 3, .second_low = 0xA0};
  if (byte == 0xED) return {.size = 3, .second_high = 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {.size = 3};
  if (byte == 0xF0) return {.size = 4, .second_low = 0x90};
  if (byte >= 0xF1 && byte <= 0xF3) return {.size = 4};
  if (byte == 0xF4) return {.size = 4, .second_high = 0x8F};
  return {};
}

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

// Calls `use` for every character of `text` that the pattern, a single character or class, matches.
template <typename Use>
void ForEachHit(const std::string& pattern, const std::string& text, Use use) {
  int error = 0;
  size_t offset = 0;
  const std::unique_ptr<pcre2_code, FreeCode> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_CASELESS, &error, &offset, nullptr));
  if (code == nullptr) throw Error("PCRE2 was built without Unicode support; install one with it");
  const std::unique_ptr<pcre2_match_data, FreeMatchData> data(pcre2_match_data_create(1, nullptr));
  if (data == nullptr) throw Error("out of memory");
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t at = 0;
  while (pcre2_match(code.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK, data.get(),
                     nullptr) > 0) {
    const size_t* hit = pcre2_get_ovector_pointer(data.get());
    use(std::string_view(text).substr(hit[0], hit[1] - hit[0]));
    at = hit[1];
  }
}

// The characters that can have case at all, one after the other. Everything else need not be tried.
const std::string& CasedCharacters() {
  static const std::string kCased = [] {
    std::string all;
    for (char32_t code = 1; code <= kLastCasedPlane; ++code) {
      if (code < 0xD800 || code > 0xDFFF) AppendUtf8(code, all);
    }
    std::string cased;
    ForEachHit("[\\p{L&}\\p{M}\\p{N}\\p{S}]", all, [&](std::string_view hit) { cased += hit; });
    return cased;
  }();
  return kCased;
}

}  // namespace

Character DecodeCharacter(std::string_view text, size_t at) {
  const uint8_t first = ByteAt(text, at);
  if (first < 0x80) return {first, 1};
  const Character stray{kStrayByte + first, 1};
  const Lead lead = ClassifyLead(first);
  if (lead.size == 0 || text.size() - at < lead.size) return stray;
  const uint8_t second = ByteAt(text, at + 1);
  if (second < lead.second_low || second > lead.second_high) return stray;
  char32_t code = (first & (0xFFU >> (lead.size + 1))) << 6 | (second & 0x3FU);
  for (uint32_t i = 2; i < lead.size; ++i) {
    const uint8_t next = ByteAt(text, at + i);
    if (!IsContinuation(next)) return stray;
    code = code << 6 | (next & 0x3FU);
  }
  return {code, lead.size};
}

bool IsAscii(std::string_view text) {
  constexpr size_t kWord = sizeof(uint64_t);
  const char* at = text.data();
  const char* const end = at + text.size();
  uint64_t seen = 0;
  if (text.size() < kWord) {
    for (; at < end; ++at) seen |= static_cast<uint8_t>(*at);
    return (seen & 0x80) == 0;
  }
  for (; at + 4 * kWord <= end; at += 4 * kWord) {
    seen |= ReadEightBytes(at) | ReadEightBytes(at + kWord) | ReadEightBytes(at + 2 * kWord) |
            ReadEightBytes(at + 3 * kWord);
  }
  for (; at + kWord <= end; at += kWord) seen |= ReadEightBytes(at);
  seen |= ReadEightBytes(end - kWord);  // some of them once more
  return (seen & base::kByteHighBits) == 0;
}

bool IsValidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (at + 8 <= text.size() && (ReadEightBytes(text.data() + at) & base::kByteHighBits) == 0) {
      at += 8;
      continue;
    }
    const Character next = DecodeCharacter(text, at);
    if (next.code >= kStrayByte) return false;
    at += next.size;
  }
  return true;
}

void AppendUtf8(char32_t code, std::string& out) {
  const auto tail = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += {static_cast<char>(0xC0 | code >> 6), tail(0)};
  } else if (code < 0x10000) {
    out += {static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)};
  } else {
    out += {static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
  }
}

bool HasLetterTwins(std::string_view text) {
  return text.find("\xC5\xBF") != std::string_view::npos ||
         text.find("\xE2\x84\xAA") != std::string_view::npos;
}

std::vector<char32_t> CaseEquivalents(char32_t code) {
  if (code >= kStrayByte) return {code};
  if (code < 0x80) {
    const char letter = base::ToLower(static_cast<char>(code));
    if (!base::IsLower(letter)) return {code};
    const auto lower = static_cast<char32_t>(letter);
    std::vector<char32_t> all{lower, lower - 32};
    if (letter == 's') all.push_back(kLongS);
    if (letter == 'k') all.push_back(kKelvinSign);
    return all;
  }
  std::string self;
  AppendUtf8(code, self);
  std::vector<char32_t> all;
  ForEachHit(self, CasedCharacters(),
             [&](std::string_view hit) { all.push_back(DecodeCharacter(hit, 0).code); });
  if (all.empty()) all.push_back(code);
  return all;
}

}  // namespace ospatrol::pattern
