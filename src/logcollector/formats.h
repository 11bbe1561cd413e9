// The table of log formats. A new format is a RecordReader in a file of its own and one line here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/sections.h"
#include "logcollector/record_reader.h"

namespace ospatrol::logcollector {

struct Format {
  std::string_view name;  // as in <log_format>
  std::string_view
      reader;  // formats with the same reader give the same events: stored with the position
  std::unique_ptr<RecordReader> (*make)(const config::LocalFileSection& section);
};

// Nothing when no format of this version has the name (compared without case).
const Format* FindFormat(std::string_view name);

// "apache, generic, ..." for messages.
std::string SupportedFormats();

}  // namespace ospatrol::logcollector
