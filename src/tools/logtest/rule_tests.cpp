#include "logtest/rule_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

#include "analysisd/decoder_set.h"
#include "analysisd/rule.h"
#include "base/files.h"
#include "base/text.h"
#include "logtest/ini_file.h"
#include "logtest/session.h"
#include "logtest/unit_test.h"

namespace ospatrol::logtest {
namespace {

// 2025-11-22 12:00 UTC, a Saturday: the clock of sections without `now`, so that results do not
// depend on when tests run.
constexpr base::Seconds kDefaultNow = 1'763'812'800;

std::optional<base::Seconds> ParseNow(std::string_view text) {
  if (const auto epoch = base::ParseNumber<base::Seconds>(text)) return epoch;
  std::tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%Y-%m-%d %H:%M:%S", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

// "@+30s rest": cuts it off `line` and returns the seconds. 0 when there is none; nothing when it
// is malformed.
std::optional<base::Seconds> TakeDelay(std::string_view& line) {
  if (!line.starts_with("@+")) return 0;
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos || blank < 4) return std::nullopt;
  const auto count = base::ParseNumber<uint32_t>(line.substr(2, blank - 3));
  base::Seconds unit = 0;
  switch (line[blank - 1]) {
    case 's':
      unit = 1;
      break;
    case 'm':
      unit = 60;
      break;
    case 'h':
      unit = 3600;
      break;
    case 'd':
      unit = 86400;
      break;
    default:
      return std::nullopt;
  }
  if (!count) return std::nullopt;
  line.remove_prefix(blank + 1);
  return *count * unit;
}

// What all cases of a section share.
struct SectionDefaults {
  Expectation expected;
  base::Seconds now = kDefaultNow;
  char kind = '1';
  std::string location = "stdin";
};

std::optional<SectionDefaults> ReadDefaults(const IniSection& section, const std::string& path,
                                            config::Problems& problems) {
  SectionDefaults defaults;
  const std::string* rule = section.Find("rule");
  const std::string* alert = section.Find("alert");
  const std::string* decoder = section.Find("decoder");
  if (rule == nullptr || alert == nullptr || decoder == nullptr) {
    problems.Error(0, path, section.line, fmt::format("[{}] lacks an expectation", section.name),
                   "expected the keys rule, alert (the level) and decoder");
    return std::nullopt;
  }
  defaults.expected = {*rule, *alert, *decoder};
  if (const std::string* now = section.Find("now")) {
    const auto parsed = ParseNow(*now);
    if (!parsed) {
      problems.Error(0, path, section.line, fmt::format("[{}] now = {}", section.name, *now),
                     "expected YYYY-MM-DD HH:MM:SS or epoch seconds");
      return std::nullopt;
    }
    defaults.now = *parsed;
  }
  if (const std::string* kind = section.Find("kind")) {
    if (kind->size() != 1 ||
        std::string_view("12389ab").find(kind->front()) == std::string_view::npos) {
      problems.Error(0, path, section.line, fmt::format("[{}] kind = {}", section.name, *kind),
                     "expected one of 1 2 3 8 9 a b");
      return std::nullopt;
    }
    defaults.kind = kind->front();
  }
  if (const std::string* location = section.Find("location")) defaults.location = *location;
  return defaults;
}

bool IsCase(std::string_view key) { return key.starts_with("log "); }

// A key that nobody reads is a case that never runs, or an expectation that is never checked.
void TellUnknownKeys(const IniSection& section, const std::string& path,
                     config::Problems& problems) {
  static constexpr std::array<std::string_view, 6> kKeys{"rule", "alert", "decoder",
                                                         "now",  "kind",  "location"};
  for (const auto& [key, value] : section.values) {
    if (IsCase(key) || std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end()) continue;
    problems.Warning(0, path, section.line,
                     fmt::format("[{}] has a key '{}', which is unknown and ignored", section.name,
                                 base::EscapeControls(key)),
                     "expected rule, alert, decoder, now, kind, location, 'log NAME pass' or "
                     "'log NAME fail'");
  }
}

std::string Describe(const analysisd::Event& event, const analysisd::Verdict& verdict) {
  const std::string decoder = event.decoder == nullptr ? "none" : std::string(event.decoder_name);
  if (verdict.rule == nullptr) return fmt::format("no rule, decoder {}", decoder);
  return fmt::format("rule {}, level {}, decoder {}", verdict.rule->id, verdict.rule->level,
                     decoder);
}

}  // namespace

std::vector<TestCase> ReadTestCases(const std::string& path, bool classic,
                                    config::Problems& problems) {
  std::vector<TestCase> cases;
  for (const IniSection& section : ParseIni(base::ReadFile(path), path, classic, problems)) {
    const auto defaults = ReadDefaults(section, path, problems);
    if (!defaults) continue;
    TellUnknownKeys(section, path, problems);
    for (const auto& [key, value] : section.values) {
      if (!IsCase(key)) continue;
      TestCase test{path,           section.name,       key,
                    section.line,   defaults->expected, !key.ends_with("fail"),
                    defaults->kind, defaults->location, {}};
      base::Seconds time = defaults->now;
      for (std::string_view line : base::Split(value, '\n')) {
        const auto delay = TakeDelay(line);
        if (!delay) {
          problems.Error(0, path, section.line,
                         fmt::format("[{}] {}: '{}'", section.name, key, line),
                         "expected '@+30s ' (or m, h, d) before the line");
          continue;
        }
        time += *delay;
        test.lines.push_back({std::string(line), time});
      }
      cases.push_back(std::move(test));
    }
  }
  return cases;
}

TestResult RunCase(const TestCase& test, const std::shared_ptr<const analysisd::Ruleset>& ruleset,
                   analysisd::Tracer* tracer) {
  Session session(ruleset);
  analysisd::Verdict verdict;
  for (const TestLine& line : test.lines) {
    session.Decode(line.text, line.time, {test.kind, test.location});
    verdict = session.Judge(tracer);
  }
  const bool same = Compare(test.expected, session.event(), verdict) == kSame;
  return {same == test.expect_pass, Describe(session.event(), verdict)};
}

int RunTestFiles(const Options& options, const std::shared_ptr<const analysisd::Ruleset>& ruleset) {
  config::Problems problems;
  size_t passed = 0;
  size_t failed = 0;
  for (const std::string& file : options.files) {
    if (file.ends_with("geoip.ini") && ruleset->decoders().geoip() == nullptr) {
      fmt::print("{}: skipped, no GeoIP database is configured\n", file);
      continue;
    }
    for (const TestCase& test : ReadTestCases(file, options.classic_ini, problems)) {
      const TestResult result = RunCase(test, ruleset);
      if (result.passed) {
        ++passed;
        continue;
      }
      ++failed;
      fmt::print("{}:{}: [{}] {}: {} rule {}, level {}, decoder {}; seen {}\n", test.file,
                 test.line, test.section, test.key,
                 test.expect_pass ? "expected" : "expected anything but", test.expected.rule,
                 test.expected.level, test.expected.decoder, result.seen);
    }
  }
  for (const config::Problem& problem : problems.all()) fmt::print("{}\n", problem.Line());
  failed += problems.error_count();
  if (passed == 0 && failed == 0) {
    fmt::print("no case was run: cases are values 'log NAME pass' or 'log NAME fail'\n");
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace ospatrol::logtest
