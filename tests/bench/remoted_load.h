// What the benchmark of remoted does to it: connects a fleet of agents, loads it, looks at it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ospatrol::bench {

struct RemotedOptions {
  enum class Mode { kKeepAlive, kSaturate, kBurst, kStorm };
  Mode mode = Mode::kKeepAlive;
  std::filesystem::path prefix;
  std::vector<std::filesystem::path> input;
  uint16_t port = 1514;
  std::string protocol = "v2";  // v2, aes or blowfish
  size_t agents = 1000;
  size_t senders = 0;         // agents that send the events of saturate and burst; 0: all
  size_t datagram = 1400;     // largest one of version 2
  uint64_t events = 400'000;  // of saturate and burst
  uint64_t window = 8'000;    // of saturate with version 1: packets on their way
  double rate = 0;            // keepalive: events a second of all agents together
  double interval = 600;      // seconds between keep-alives of an agent
  double seconds = 10;        // keepalive: how long
  uint64_t rounds = 10;       // storm: how often all agents start again
  uint64_t flood = 0;      // storm: events a second of one more agent, which does not start again
  double patience = 20;    // storm: seconds until an agent gives its manager up
  bool analysisd = false;  // the real one instead of the stand-in
  bool yardstick = true;
  std::vector<int> cpus;  // of remoted; empty: any
};

// Starts remoted, loads it, ends it, prints one JSON object. Gives 0, or 1 when something is
// missing that must not be. Throws Error.
int RunRemoted(const RemotedOptions& options);

}  // namespace ospatrol::bench
