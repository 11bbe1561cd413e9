// libraries: pattern base
// under test: shared/pattern/os_regex.cpp shared/pattern/pcre2_syntax.cpp shared/pattern/literal.cpp shared/pattern/syntax.cpp shared/pattern/required_texts.cpp shared/pattern/literal_set.cpp
// Any text as a pattern of each language, an IP entry, a time and a day list. First byte: language
// and negation.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "pattern/ip_list.h"
#include "pattern/pattern.h"
#include "pattern/schedule.h"

using ospatrol::pattern::CompileError;
using ospatrol::pattern::Language;
using ospatrol::pattern::Match;
using ospatrol::pattern::Pattern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  CompileError error;
  const auto pattern =
      Pattern::Compile(static_cast<Language>(data[0] & 3), text, &error, (data[0] & 4) != 0);
  if (pattern == nullptr && (error.reason.empty() || error.offset > text.size())) std::abort();
  if (pattern != nullptr) {
    pattern->Matches(
        "Oct  1 12:00:00 host sshd[12]: Failed password for root from 10.0.0.1 port 22 ssh2");
    pattern->Matches("\xc3\xa9 \xff k \xe2\x84\xaa");
  }
  ospatrol::pattern::IpNetwork::Parse(text);
  ospatrol::pattern::TimeRange::Parse(text);
  ospatrol::pattern::DaySet::Parse(text);
  return 0;
}
