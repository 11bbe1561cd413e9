#include "config/internal_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "config/show.h"
#include "log/messages.h"

namespace ospatrol::config {
namespace {

constexpr size_t kMaxLineBytes = 1023;
constexpr std::string_view kStackSize = "ospatrol.thread_stack_size";
constexpr std::string_view kOldStackSize = "ossec.thread_stack_size";

std::string_view Canonical(std::string_view key) { return key == kOldStackSize ? kStackSize : key; }

const InternalOption* FindRow(std::string_view key) {
  const auto table = InternalOptionTable();
  const auto found = std::ranges::find(table, Canonical(key), &InternalOption::key);
  return found == table.end() ? nullptr : &*found;
}

bool HasSpace(std::string_view text) { return std::ranges::any_of(text, base::IsSpace); }

// Reads the lines of one file. The first line of a key wins.
class OptionsFile {
 public:
  OptionsFile(std::string_view shown, Problems& problems, std::string_view program)
      : shown_(shown), problems_(problems), program_(program) {}

  void Read(std::string_view text, InternalOptions& options) {
    int number = 0;
    for (const std::string_view line : base::Split(text, '\n')) Line(++number, line, options);
  }

 private:
  void Line(int number, std::string_view line, InternalOptions& options) {
    if (line.empty() || line.front() == '#' || line.front() == ' ') return;
    while (!line.empty() && base::IsSpace(line.back())) line.remove_suffix(1);
    if (line.empty()) return;
    const size_t equals = line.find('=');
    const std::string_view key = line.substr(0, equals);
    if (line.size() > kMaxLineBytes || equals == std::string_view::npos ||
        key.find('.') == std::string_view::npos || HasSpace(key)) {
      problems_.Warning(msg::kOptionsLine.id, shown_, number,
                        fmt::format("'{}' is ignored", Show(line)),
                        "expected section.key=number without white space");
      return;
    }
    const InternalOption* row = FindRow(key);
    if (row == nullptr) return UnknownKey(number, key);
    if (!seen_.insert(row->key).second) return;
    if (const auto value = Value(number, *row, line.substr(equals + 1))) {
      options.Set(row->key, *value);
      if (*value != row->value) WarnOfNoEffect(number, *row);
    }
  }

  std::optional<int64_t> Value(int number, const InternalOption& row, std::string_view text) {
    const auto value = text.empty()            ? std::optional<int64_t>(0)
                       : base::AllDigits(text) ? base::ParseNumber<int64_t>(text)
                                               : std::nullopt;
    if (value && *value >= row.min && *value <= row.max) return value;
    problems_.Error(msg::kInternalOption.id, shown_, number,
                    fmt::format("{}: '{}' is not valid", row.key, Show(text)),
                    fmt::format("expected a number from {} to {}", row.min, row.max));
    return std::nullopt;
  }

  void WarnOfNoEffect(int number, const InternalOption& row) {
    if (row.no_effect.empty() || program_.empty() || !row.IsReadBy(program_)) return;
    problems_.Warning(
        msg::kNoEffect.id, shown_, number,
        fmt::format("{}: accepted for compatibility, no effect: {}", row.key, row.no_effect),
        "remove it");
  }

  void UnknownKey(int number, std::string_view key) {
    std::vector<std::string_view> keys;
    for (const InternalOption& row : InternalOptionTable()) keys.push_back(row.key);
    problems_.Warning(msg::kUnknownInternalOption.id, shown_, number,
                      fmt::format("unknown internal option '{}' is ignored", Show(key)),
                      Suggest(key, keys));
  }

  std::string_view shown_;
  Problems& problems_;
  std::string_view program_;
  std::set<std::string_view> seen_;  // keys of the table
};

void ReadOptionsFile(const Home& home, std::string_view name, InternalOptions& options,
                     Problems& problems, std::string_view program) {
  try {
    const auto text = base::ReadFileIfPresent(home / name);
    if (!text) {
      problems.Info(msg::kNoInternalOptions.id, name, 0, "does not exist",
                    "built-in defaults are used");
      return;
    }
    options.Apply(*text, name, problems, program);
  } catch (const Error& error) {
    problems.Error(msg::kCannotOpenFile.id, name, 0, error.what(),
                   "check the owner and mode of the file");
  }
}

}  // namespace

bool InternalOption::IsReadBy(std::string_view program) const {
  const auto names = base::Split(programs, ',');
  return std::ranges::any_of(
      names, [program](std::string_view name) { return base::Trim(name) == program; });
}

InternalOptions::InternalOptions() {
  for (const InternalOption& row : InternalOptionTable()) values_.emplace(row.key, row.value);
}

InternalOptions InternalOptions::Load(const Home& home, Problems& problems,
                                      std::string_view program) {
  constexpr std::string_view kPrefix = "ospatrol-";
  if (program.starts_with(kPrefix)) program.remove_prefix(kPrefix.size());
  InternalOptions options;
  ReadOptionsFile(home, paths::kInternalOptions, options, problems, program);
  ReadOptionsFile(home, paths::kLocalInternalOptions, options, problems, program);
  return options;
}

void InternalOptions::Apply(std::string_view text, std::string_view shown, Problems& problems,
                            std::string_view program) {
  OptionsFile(shown, problems, program).Read(text, *this);
}

int64_t InternalOptions::Get(std::string_view key) const {
  const auto found = values_.find(Canonical(key));
  if (found == values_.end()) throw Error(fmt::format("no internal option is named '{}'", key));
  return found->second;
}

void InternalOptions::Set(std::string_view key, int64_t value) {
  const auto found = values_.find(Canonical(key));
  if (found == values_.end()) throw Error(fmt::format("no internal option is named '{}'", key));
  found->second = value;
}

}  // namespace ospatrol::config
