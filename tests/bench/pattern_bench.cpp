// What one condition costs on an ordinary line, by language and by the engine that answers it.
// Usage: pattern_bench [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "pattern/pattern.h"

namespace {

using ospatrol::pattern::CompileError;
using ospatrol::pattern::Language;
using ospatrol::pattern::Match;
using ospatrol::pattern::Pattern;

constexpr std::string_view kLine =
    "Failed password for invalid user administrator from 192.0.2.171 port 60232 ssh2 [preauth] "
    "(pid 4711, uid 0, "
    "host web-17.example.org, session 0x55d1c3, method password, attempt 3 of 6)";

void Run(benchmark::State& state, Language language, std::string_view text,
         std::string_view subject) {
  CompileError error;
  const auto pattern = Pattern::Compile(language, text, &error);
  if (pattern == nullptr) {
    state.SkipWithError(error.reason.c_str());
    return;
  }
  Match match;
  for (auto unused : state) benchmark::DoNotOptimize(pattern->Find(subject, match));
}

void Register(const char* name, Language language, const char* text,
              std::string_view subject = kLine) {
  benchmark::RegisterBenchmark(
      name, [=](benchmark::State& state) { Run(state, language, text, subject); });
}

}  // namespace

int main(int argc, char** argv) {
  static const std::string kWideLine = std::string(kLine) + " caf\xc3\xa9";
  static const std::string kStrayLine = std::string(kLine) + " caf\xe9";
  Register("match/prefix/no", Language::kOsMatch, "^Accepted password");
  Register("match/literal/no", Language::kOsMatch, "segfault at");
  Register("match/literal/yes", Language::kOsMatch, "session 0x");
  Register("match/alternatives8/no", Language::kOsMatch,
           "segfault|panic|out of memory|disk full|denied|refused|timed out|broken pipe");
  Register("match/literal/no/utf8", Language::kOsMatch, "segfault at", kWideLine);
  Register("regex/prefix/no", Language::kOsRegex, R"(^Accepted (\S+) for (\S+) from (\S+))");
  Register("regex/literal/no", Language::kOsRegex, R"((\S+) logged in from (\S+))");
  Register("regex/captures/yes", Language::kOsRegex,
           R"(for invalid user (\S+) from (\S+) port (\d+))");
  Register("regex/captures/yes/utf8", Language::kOsRegex,
           R"(for invalid user (\S+) from (\S+) port (\d+))", kWideLine);
  Register("regex/captures/yes/stray", Language::kOsRegex,
           R"(for invalid user (\S+) from (\S+) port (\d+))", kStrayLine);
  Register("regex/nothing-known/no", Language::kOsRegex, R"(\d+;\d+)");
  Register("pcre2/prefix/no", Language::kPcre2, R"(^Accepted (\S+) for (\S+) from (\S+))");
  Register("pcre2/literals/no", Language::kPcre2, "segfault|panic|denied");
  Register("pcre2/captures/yes", Language::kPcre2,
           R"(for invalid user (\S+) from (\S+) port (\d+))");
  Register("pcre2/look-behind/yes", Language::kPcre2, R"((?<=user )(\S+) from (\S+))");
  Register("word/no", Language::kWord, "authentication_success|^attack");
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
