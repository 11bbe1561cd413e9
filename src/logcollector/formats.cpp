#include "logcollector/formats.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "logcollector/line_reader.h"

namespace ospatrol::logcollector {
namespace {

std::unique_ptr<RecordReader> MakeLineReader(const config::LocalFileSection&) {
  return std::make_unique<LineReader>();
}

constexpr std::array<Format, 8> kFormats = {{
    {"apache", "line", MakeLineReader},
    {"generic", "line", MakeLineReader},
    {"iis", "line", MakeLineReader},
    {"json", "line", MakeLineReader},
    {"snort-fast", "line", MakeLineReader},
    {"squid", "line", MakeLineReader},
    {"syslog", "line", MakeLineReader},
    {"syslog-pipe", "line", MakeLineReader},
}};

}  // namespace

const Format* FindFormat(std::string_view name) {
  const auto* const found = std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& f) {
    return base::EqualsIgnoreCase(f.name, name);
  });
  return found == kFormats.end() ? nullptr : found;
}

std::string SupportedFormats() {
  std::string names;
  for (const Format& format : kFormats) {
    if (!names.empty()) names += ", ";
    names += format.name;
  }
  return names;
}

}  // namespace ospatrol::logcollector
