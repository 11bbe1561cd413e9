// The engine alone: decode and judge in this process, no sockets and no files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ospatrol::bench {

struct EngineOptions {
  std::filesystem::path prefix;
  std::vector<std::filesystem::path> input;
  uint64_t events = 200'000;
  uint64_t warmup = 15'440;  // events before the clock runs
  int locations = 8;
  int threads = 1;     // that decode, the judging one included
  size_t batch = 64;  // events that one thread decodes at a time, as in the daemon
  bool prefilter = true;
  std::string phase = "both";  // "decode", "judge": only that one is timed; one thread
  uint64_t rate = 100'000;     // events in a second of the clock that rules see
};

// Alerts that the engine gives for the first `options.events` events, no warm-up.
uint64_t ExpectedAlerts(const EngineOptions& options);

// Runs once and prints one JSON object. `unit_before`: one yardstick unit in microseconds, measured
// before; it is measured again behind the run. 0: no units.
int RunEngine(const EngineOptions& options, double unit_before);

}  // namespace ospatrol::bench
