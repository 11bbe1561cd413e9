// libraries: config base
// under test: shared/config/internal_options.cpp
// Any text as a file of internal options: values stay in their ranges, each problem is one line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/internal_options.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ospatrol::config;
  Problems problems;
  InternalOptions options;
  options.Apply({reinterpret_cast<const char*>(data), size}, "input", problems);
  for (const InternalOption& row : InternalOptionTable()) {
    const int64_t value = options.Get(row.key);
    if (value < row.min || value > row.max) std::abort();
  }
  for (const Problem& problem : problems.all()) {
    if (problem.line < 1 || problem.Line().find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
