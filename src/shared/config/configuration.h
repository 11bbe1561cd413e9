// Reads ospatrol.conf into structs. Called once at start and at each reload.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "config/dialect.h"
#include "config/problems.h"
#include "config/sections.h"

namespace ospatrol::config {

// The program that reads: its sections are interpreted, all others only checked by name (3.2).
enum class Reader {
  kAnalysisd,
  kLogcollector,
  kExecd,
  kMaild,
  kRemoted,
  kAgentd,
  kMonitord,
  kTools
};

// All errors go to `problems`; the result is meaningful only when there is none.
// `shown` is the name of the file in messages ("etc/ospatrol.conf").
Configuration LoadConfiguration(const std::filesystem::path& file, std::string_view shown,
                                Reader reader, Problems& problems);

// The same for a file that has been read already.
Configuration ReadConfiguration(const Document& document, Reader reader, Problems& problems);

}  // namespace ospatrol::config
