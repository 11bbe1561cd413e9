#include "logtest/ini_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ospatrol::logtest {
namespace {

// Keeps the state of a walk over the lines of one file.
class IniParser {
 public:
  IniParser(std::string_view file, bool classic, config::Problems& problems)
      : file_(file), classic_(classic), problems_(problems) {}

  void Line(std::string_view line, int number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view text = base::Trim(line);
    if (text.empty() || text.front() == ';' || text.front() == '#') return;
    if (base::IsSpace(line.front()) && value_ != nullptr) {
      *value_ += '\n';
      *value_ += text;
    } else if (text.front() == '[') {
      OpenSection(text, number);
    } else {
      AddValue(text, number);
    }
  }

  std::vector<IniSection> Take() { return std::move(sections_); }

 private:
  void OpenSection(std::string_view text, int number) {
    value_ = nullptr;
    const size_t end = text.rfind(']');
    if (end == std::string_view::npos || end == 1) {
      problems_.Error(0, file_, number, fmt::format("'{}' is no section header", text),
                      "expected [name]");
      return;
    }
    const std::string_view name = text.substr(1, end - 1);
    const auto same = std::ranges::find(sections_, name, &IniSection::name);
    current_ = static_cast<size_t>(same - sections_.begin());
    if (same == sections_.end()) sections_.push_back({std::string(name), number, {}});
  }

  void AddValue(std::string_view text, int number) {
    value_ = nullptr;
    const size_t separator = text.find_first_of("=:");
    if (separator == std::string_view::npos || separator == 0) {
      problems_.Error(0, file_, number, fmt::format("'{}' is neither a section nor a value", text),
                      "expected [name] or key = value");
      return;
    }
    if (sections_.empty()) {
      problems_.Error(0, file_, number, "value before the first section", "expected [name]");
      return;
    }
    const std::string key = base::ToLower(base::Trim(text.substr(0, separator)));
    const std::string_view value = base::Trim(text.substr(separator + 1));
    auto& values = sections_[current_].values;
    const auto same = std::ranges::find(values, key, &std::pair<std::string, std::string>::first);
    if (same == values.end()) {
      values.emplace_back(key, value);
      value_ = &values.back().second;
      return;
    }
    if (classic_) {
      same->second = value;
    } else {
      same->second += '\n';
      same->second += value;
    }
    value_ = &same->second;
  }

  std::string file_;
  bool classic_;
  config::Problems& problems_;
  std::vector<IniSection> sections_;
  size_t current_ = 0;
  std::string* value_ = nullptr;  // what an indented line continues
};

}  // namespace

const std::string* IniSection::Find(std::string_view key) const {
  const auto found = std::ranges::find(values, key, &std::pair<std::string, std::string>::first);
  return found == values.end() ? nullptr : &found->second;
}

std::vector<IniSection> ParseIni(std::string_view text, std::string_view file, bool classic,
                                 config::Problems& problems) {
  IniParser parser(file, classic, problems);
  int number = 0;
  for (const std::string_view line : base::Split(text, '\n')) parser.Line(line, ++number);
  return parser.Take();
}

}  // namespace ospatrol::logtest
