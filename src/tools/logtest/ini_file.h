// Rule test files (wazuh4-dialect 6.3): Python RawConfigParser rules.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problems.h"

namespace ospatrol::logtest {

struct IniSection {
  std::string name;
  int line = 0;
  // Key in lower case and value, in order of first appearance. Values of a repeated key are joined
  // with LF, or the last one wins (classic).
  std::vector<std::pair<std::string, std::string>> values;

  const std::string* Find(std::string_view key) const;
};

// Sections in order; a repeated one is merged into the first. Lines that are nothing become
// problems.
std::vector<IniSection> ParseIni(std::string_view text, std::string_view file, bool classic,
                                 config::Problems& problems);

}  // namespace ospatrol::logtest
