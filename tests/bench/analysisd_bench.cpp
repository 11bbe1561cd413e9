// What an event costs in analysisd: the engine in this process, or the installed daemon.
//
//   analysisd_bench engine --prefix DIR --input LOG [options]
//
// DIR holds etc/ospatrol.conf, rules/ and decoders/: tests/bench/make_ruleset.py DIR lays one out.
// Each run prints one JSON object. A unit is the CPU time of compressing one line of the same log
// (yardstick.cpp), measured before and after each run: compare units, not microseconds.
#include <fmt/format.h>
#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "engine_bench.h"
#include "log/log.h"
#include "meter.h"

namespace ospatrol::bench {
namespace {

constexpr const char* kUsage = R"(usage: analysisd_bench engine --prefix DIR --input LOG [options]
  --prefix DIR             etc/ospatrol.conf, rules/ and decoders/ (make_ruleset.py lays them out)
  --input LOG              lines of the events, cycled; may be given again
  --events N               events of a run, default 200000
  --repeat N               runs, default 1
  --no-yardstick           figures in microseconds only
  --locations N            files that the lines are said to come from, default 8
  --threads N              decode threads, default 1: decode and judge by turns
  --batch N                events that are decoded, then judged together, default 256
  --profile-phase WHICH    time decode or judge alone
  --warmup N               events before the clock runs, default 15440
  --rate N                 events in one second of the clock that rules see, default 100000
)";

[[noreturn]] void Leave(const std::string& text) {
  fmt::print(stderr, "analysisd_bench: {}\n{}", text, kUsage);
  std::exit(2);
}

uint64_t Number(const char* option, const char* text, uint64_t smallest) {
  char* end = nullptr;
  const uint64_t value = std::strtoull(text, &end, 10);
  if (end == text || *end != '\0' || value < smallest) {
    Leave(fmt::format("--{} is '{}'; a number of at least {} is expected", option, text, smallest));
  }
  return value;
}

struct CommandLine {
  EngineOptions engine;
  uint64_t repeat = 1;
  bool yardstick = true;
};

CommandLine Parse(int argc, char** argv) {
  enum Option {
    kPrefix,
    kInput,
    kEvents,
    kRepeat,
    kNoYardstick,
    kLocations,
    kThreads,
    kBatch,
    kPhase,
    kWarmup,
    kRate
  };
  static const option kOptions[] = {{"prefix", required_argument, nullptr, kPrefix},
                                    {"input", required_argument, nullptr, kInput},
                                    {"events", required_argument, nullptr, kEvents},
                                    {"repeat", required_argument, nullptr, kRepeat},
                                    {"no-yardstick", no_argument, nullptr, kNoYardstick},
                                    {"locations", required_argument, nullptr, kLocations},
                                    {"threads", required_argument, nullptr, kThreads},
                                    {"batch", required_argument, nullptr, kBatch},
                                    {"profile-phase", required_argument, nullptr, kPhase},
                                    {"warmup", required_argument, nullptr, kWarmup},
                                    {"rate", required_argument, nullptr, kRate},
                                    {nullptr, 0, nullptr, 0}};
  CommandLine line;
  EngineOptions& engine = line.engine;
  int index = 0;
  for (int found = 0; (found = ::getopt_long(argc, argv, "", kOptions, &index)) != -1;) {
    if (found == '?') Leave("unknown option");
    const char* name = kOptions[index].name;
    const auto number = [&](uint64_t smallest) { return Number(name, optarg, smallest); };
    switch (found) {
      case kPrefix:
        engine.prefix = optarg;
        break;
      case kInput:
        engine.input.emplace_back(optarg);
        break;
      case kEvents:
        engine.events = number(1);
        break;
      case kRepeat:
        line.repeat = number(1);
        break;
      case kNoYardstick:
        line.yardstick = false;
        break;
      case kLocations:
        engine.locations = static_cast<int>(number(1));
        break;
      case kThreads:
        engine.threads = static_cast<int>(number(1));
        break;
      case kBatch:
        engine.batch = number(1);
        break;
      case kPhase:
        engine.phase = optarg;
        break;
      case kWarmup:
        engine.warmup = number(0);
        break;
      case kRate:
        engine.rate = number(1);
        break;
      default:
        Leave("unknown option");
    }
  }
  if (optind != argc) Leave(fmt::format("'{}' is no option", argv[optind]));
  if (engine.prefix.empty()) Leave("--prefix is missing");
  if (engine.input.empty()) Leave("--input is missing");
  if (engine.phase != "both" && engine.phase != "decode" && engine.phase != "judge") {
    Leave(fmt::format("--profile-phase is '{}'; decode or judge", engine.phase));
  }
  return line;
}

int Main(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], "engine") != 0) Leave("the first argument says what to run");
  const CommandLine line = Parse(argc - 1, argv + 1);
  log::Configure("analysisd_bench", {}, true);
  int status = 0;
  for (uint64_t i = 0; i < line.repeat && status == 0; ++i) {
    const double unit = line.yardstick ? Yardstick(line.engine.input) : 0;
    status = RunEngine(line.engine, unit);
  }
  return status;
}

}  // namespace
}  // namespace ospatrol::bench

int main(int argc, char** argv) {
  try {
    return ospatrol::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "analysisd_bench: {}\n", error.what());
  }
  return 1;
}
