// libraries: analysisd config log base
// under test: analysisd/predecoder.cpp
// Any text: the parts of the header lie inside of it, in both modes and on every route.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "analysisd/predecoder.h"

namespace {

using ospatrol::analysisd::Event;
using ospatrol::analysisd::IsSet;

void Require(bool holds) {
  if (!holds) std::abort();
}

bool Inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static Event event;
  for (const bool extended : {false, true}) {
    ospatrol::analysisd::EngineOptions options;
    options.server_name = "server";
    options.predecode_extended = extended;
    for (const char kind : {'1', '8'}) {
      event.Assign(kind, "/var/log/x", text, 0);
      Predecode(event, options);
      Require(Inside(event.log, event.full_log));
      Require(!event.hostname.empty());
      Require(event.hostname == options.server_name || Inside(event.hostname, event.full_log));
      Require(!IsSet(event.program_name) ||
              (!event.program_name.empty() && Inside(event.program_name, event.full_log)));
      event.Reset();
    }
  }
  return 0;
}
