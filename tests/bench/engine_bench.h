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
  int threads = 1;     // 1: decode and judge by turns on one; more: so many decode beside the judge
  size_t batch = 256;  // events that are handed over together
  std::string phase = "both";  // "decode", "judge": only that one is timed
  uint64_t rate = 100'000;     // events in a second of the clock that rules see
};

// Alerts that the engine gives for the first `options.events` events, one thread, no warm-up.
uint64_t ExpectedAlerts(const EngineOptions& options);

// Runs once and prints one JSON object. `unit_before`: one yardstick unit in microseconds, measured
// before; it is measured again behind the run. 0: no units.
int RunEngine(const EngineOptions& options, double unit_before);

}  // namespace ospatrol::bench
