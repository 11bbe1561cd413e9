// The installed daemon under load: analysisd started in a prefix, driven through one of its
// sockets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sender.h"

namespace ospatrol::bench {

struct DaemonOptions {
  std::filesystem::path prefix;
  std::vector<std::filesystem::path> input;
  uint64_t events = 200'000;
  int locations = 8;
  std::vector<int> cpus;               // of analysisd; empty: any
  std::vector<std::string> arguments;  // more of them for analysisd
  bool expect = true;                  // compare the number of alerts with the engine's
  SenderOptions sender;
};

// Starts analysisd, sends, waits until all is taken and written, ends it, prints one JSON object.
// `unit_before`: one yardstick unit in microseconds, 0 = do not measure. Gives 0, or 1 when events
// or alerts are missing.
int RunDaemon(const DaemonOptions& options, double unit_before);

// Sends to an analysisd that runs already; prints a line of JSON every `interval` seconds. `events`
// = 0: without end.
int RunFeed(const DaemonOptions& options, int interval, double seconds);

}  // namespace ospatrol::bench
