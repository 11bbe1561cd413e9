// libraries: pattern base
// under test: shared/pattern/pattern.cpp shared/pattern/program.cpp shared/pattern/program_existence.cpp shared/pattern/regex_search.cpp shared/pattern/text_gate.cpp shared/pattern/lead.cpp
// Any pattern on any subject: first byte language and length, then the pattern up to LF, then the
// subject. Long inputs only make it slow; what long subjects alone reach, repeated ones reach too.
// What a match delivers must lie inside the subject, Matches must agree with Find, and one of the
// literals must occur.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "pattern/characters.h"
#include "pattern/pattern.h"

using ospatrol::pattern::CompileError;
using ospatrol::pattern::Language;
using ospatrol::pattern::Match;
using ospatrol::pattern::Pattern;

namespace {

constexpr size_t kMaxPattern = 128;
constexpr size_t kMaxSubject = 128;

// Bits 6 and 7 of the first byte: as it is, or repeated until it is too long for one call of the
// machine code, or for machine code at all.
std::string SubjectOf(uint8_t first, std::string_view text) {
  constexpr size_t kSizes[] = {0, 0, 600, 4200};
  std::string subject(text);
  while (!text.empty() && subject.size() < kSizes[first >> 6]) subject += text;
  return subject;
}

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckMatch(const Pattern& pattern, const Match& match, std::string_view subject) {
  Require(match.end <= subject.size());
  Require(match.capture_count <= pattern.GroupCount());
  for (size_t i = 0; i < match.capture_count; ++i) {
    Require(match.captures[i].begin <= match.captures[i].end);
    Require(match.captures[i].end <= subject.size());
  }
  const auto& literals = pattern.Literals();
  if (literals.empty() || ospatrol::pattern::HasLetterTwins(subject)) return;
  const std::string lower = ospatrol::base::ToLower(subject);
  Require(std::any_of(literals.begin(), literals.end(), [&](const std::string& text) {
    return lower.find(text) != std::string::npos;
  }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t line_end = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(std::min(line_end + 1, input.size()));
  if (line_end > kMaxPattern || text.size() > kMaxSubject) return 0;
  const std::string subject = SubjectOf(data[0], text);
  CompileError error;
  const auto pattern =
      Pattern::Compile(static_cast<Language>(data[0] & 3), input.substr(0, line_end), &error);
  if (pattern == nullptr) return 0;
  Match match;
  const uint64_t given_up = Pattern::LimitErrors();
  const bool found = pattern->Find(subject, match);
  if (found) CheckMatch(*pattern, match, subject);
  const bool matches = pattern->Matches(subject);
  Require(matches == found || Pattern::LimitErrors() != given_up);
  return 0;
}
