#include "execd/response_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace ospatrol::execd {
namespace {

constexpr std::string_view kSeparator = " - ";
constexpr size_t kLongestName = 64;
constexpr int kLongestTimeout = 10 * 365 * 24 * 3600;

struct Line {
  std::string_view name;
  Response response;
};

// Nothing for a wrong line; `problem` says why.
std::optional<Line> ParseLine(std::string_view text, std::string& problem) {
  const size_t first = text.find(kSeparator);
  const size_t last = text.rfind(kSeparator);
  if (first == std::string_view::npos || first == last) {
    problem = "expected NAME - EXECUTABLE - SECONDS";
    return std::nullopt;
  }
  const std::string_view executable =
      text.substr(first + kSeparator.size(), last - first - kSeparator.size());
  if (!IsExecutableName(executable)) {
    problem = "the executable must be the name of a file in active-response/bin";
    return std::nullopt;
  }
  const std::string_view seconds = text.substr(last + kSeparator.size());
  const auto timeout =
      base::AllDigits(seconds) ? base::ParseNumber<int>(seconds) : std::optional<int>();
  if (!timeout || *timeout > kLongestTimeout) {
    problem = fmt::format("the time must be a number of seconds up to {}", kLongestTimeout);
    return std::nullopt;
  }
  return Line{text.substr(0, first), {std::string(executable), std::chrono::seconds(*timeout)}};
}

}  // namespace

bool IsExecutableName(std::string_view name) {
  if (name.empty() || name.size() > kLongestName || name[0] == '.' || name[0] == '-') return false;
  return std::ranges::all_of(
      name, [](char c) { return base::IsAlnum(c) || c == '.' || c == '_' || c == '-'; });
}

ResponseTable ResponseTable::Parse(std::string_view text, const Exists& exists,
                                   std::vector<std::string>& problems) {
  ResponseTable table;
  int number = 0;
  for (const std::string_view raw : base::Split(text, '\n')) {
    ++number;
    const std::string_view line = base::Trim(raw);
    if (line.empty() || line[0] == '#') continue;
    std::string problem;
    const auto parsed = ParseLine(line, problem);
    if (!parsed) {
      problems.push_back(fmt::format("line {}: {}", number, problem));
      continue;
    }
    const bool there = exists(parsed->response.executable);
    Entry& entry = table.responses_.try_emplace(std::string(parsed->name)).first->second;
    if (entry.exists) continue;
    // The time of the first line stays (6.2).
    const bool first = entry.response.executable.empty();
    const auto timeout = first ? parsed->response.timeout : entry.response.timeout;
    if (first || there) entry = {{parsed->response.executable, timeout}, there};
  }
  return table;
}

const Response* ResponseTable::Find(std::string_view name) const {
  const auto found = responses_.find(name);
  return found == responses_.end() || !found->second.exists ? nullptr : &found->second.response;
}

}  // namespace ospatrol::execd
