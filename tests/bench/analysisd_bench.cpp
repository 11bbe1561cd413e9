// What an event costs in analysisd: the engine in this process, or the installed daemon.
//
//   analysisd_bench engine --prefix DIR --input LOG [options]
//   analysisd_bench daemon --prefix DIR --input LOG [options]
//   analysisd_bench feed   --prefix DIR --input LOG --rate N --seconds N
//
// For engine, DIR holds etc/ospatrol.conf, rules/ and decoders/: tests/bench/make_ruleset.py DIR
// lays one out. For daemon it is an installation over which make_ruleset.py was run. feed sends to
// a daemon that runs already. Each run prints one JSON object. A unit is the CPU time of
// compressing one line of the same log (yardstick.cpp), measured before and after each run: compare
// units, not microseconds.
#include <fmt/format.h>
#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "daemon_bench.h"
#include "engine_bench.h"
#include "log/log.h"
#include "meter.h"

namespace ospatrol::bench {
namespace {

constexpr const char* kUsage =
    R"(usage: analysisd_bench engine|daemon|feed --prefix DIR --input LOG [options]
  --prefix DIR           engine: etc/ospatrol.conf, rules/ and decoders/; else an installation
  --input LOG            lines of the events, cycled; may be given again
  --events N             events of a run, default 200000
  --repeat N             runs, default 1
  --no-yardstick         figures in microseconds only
  --locations N          files that the lines are said to come from, default 8
engine:
  --threads N            threads that decode, the judging one included; default 1
  --batch N              events that one thread decodes at a time, default 64
  --no-prefilter         try every rule
  --profile-phase WHICH  time decode or judge alone
  --warmup N             events before the clock runs, default 15440
  --rate N               events in one second of the clock that rules see, default 100000
daemon and feed:
  --socket WHICH         stream (default) or queue
  --batch N              events of a frame, default 64; 0: as many as fit
  --connections N        connections, each on a thread, default 1
  --sender-cpus LIST     processors of the sending threads
  --cpus LIST            processors of analysisd, as 0 or 0,1
  --argument TEXT        one more argument for analysisd; may be given again
  --no-expect            do not compare the number of alerts with the engine's
  --rate N               events a second, default 0: as many as are taken
  --seconds N            feed: ends then
  --interval N           feed: seconds between lines of output, default 60
)";

[[noreturn]] void Leave(const std::string& text) {
  fmt::print(stderr, "analysisd_bench: {}\n{}", text, kUsage);
  std::exit(2);
}

uint64_t Number(std::string_view option, std::string_view text, uint64_t smallest) {
  const auto value = base::ParseNumber<uint64_t>(text);
  if (value && *value >= smallest) return *value;
  Leave(fmt::format("--{} is '{}'; a number of at least {} is expected", option, text, smallest));
}

std::vector<int> Processors(std::string_view option, std::string_view text) {
  std::vector<int> list;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    list.push_back(static_cast<int>(Number(option, text.substr(0, comma), 0)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return list;
}

// One set of options for all modes; each takes what it knows.
struct CommandLine {
  std::filesystem::path prefix;
  std::vector<std::filesystem::path> input;
  uint64_t events = 200'000, repeat = 1, locations = 8, threads = 1, connections = 1;
  std::optional<uint64_t> batch, rate;
  uint64_t warmup = 15'440, seconds = 0, interval = 60;
  std::string phase = "both", socket = "stream";
  std::vector<int> cpus, sender_cpus;
  std::vector<std::string> arguments;
  bool yardstick = true, expect = true, prefilter = true;

  EngineOptions ForEngine() const {
    EngineOptions options;
    options.prefix = prefix;
    options.input = input;
    options.events = events;
    options.warmup = warmup;
    options.locations = static_cast<int>(locations);
    options.threads = static_cast<int>(threads);
    options.phase = phase;
    options.prefilter = prefilter;
    if (batch) options.batch = *batch;
    if (rate) options.rate = *rate;
    return options;
  }

  DaemonOptions ForDaemon() const {
    DaemonOptions options;
    options.prefix = prefix;
    options.input = input;
    options.events = events;
    options.locations = static_cast<int>(locations);
    options.cpus = cpus;
    options.arguments = arguments;
    options.expect = expect;
    options.sender.socket = socket == "queue" ? Socket::kQueue : Socket::kStream;
    options.sender.connections = static_cast<int>(connections);
    options.sender.cpus = sender_cpus;
    options.sender.rate = static_cast<double>(rate.value_or(0));
    if (batch) options.sender.batch = *batch;
    return options;
  }
};

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
  kRate,
  kSocket,
  kConnections,
  kSenderCpus,
  kCpus,
  kArgument,
  kNoExpect,
  kSeconds,
  kInterval,
  kNoPrefilter
};

constexpr option kOptions[] = {{"prefix", required_argument, nullptr, kPrefix},
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
                               {"socket", required_argument, nullptr, kSocket},
                               {"connections", required_argument, nullptr, kConnections},
                               {"sender-cpus", required_argument, nullptr, kSenderCpus},
                               {"cpus", required_argument, nullptr, kCpus},
                               {"argument", required_argument, nullptr, kArgument},
                               {"no-expect", no_argument, nullptr, kNoExpect},
                               {"seconds", required_argument, nullptr, kSeconds},
                               {"interval", required_argument, nullptr, kInterval},
                               {"no-prefilter", no_argument, nullptr, kNoPrefilter},
                               {nullptr, 0, nullptr, 0}};

void Take(int found, std::string_view name, const char* text, CommandLine& line) {
  const auto number = [&](uint64_t smallest) { return Number(name, text, smallest); };
  switch (found) {
    case kPrefix:
      line.prefix = text;
      break;
    case kInput:
      line.input.emplace_back(text);
      break;
    case kEvents:
      line.events = number(0);
      break;
    case kRepeat:
      line.repeat = number(1);
      break;
    case kNoYardstick:
      line.yardstick = false;
      break;
    case kLocations:
      line.locations = number(1);
      break;
    case kThreads:
      line.threads = number(1);
      break;
    case kBatch:
      line.batch = number(0);
      break;
    case kPhase:
      line.phase = text;
      break;
    case kWarmup:
      line.warmup = number(0);
      break;
    case kRate:
      line.rate = number(0);
      break;
    case kSocket:
      line.socket = text;
      break;
    case kConnections:
      line.connections = number(1);
      break;
    case kSenderCpus:
      line.sender_cpus = Processors(name, text);
      break;
    case kCpus:
      line.cpus = Processors(name, text);
      break;
    case kArgument:
      line.arguments.emplace_back(text);
      break;
    case kNoExpect:
      line.expect = false;
      break;
    case kNoPrefilter:
      line.prefilter = false;
      break;
    case kSeconds:
      line.seconds = number(1);
      break;
    case kInterval:
      line.interval = number(1);
      break;
    default:
      Leave("unknown option");
  }
}

CommandLine Parse(int argc, char** argv) {
  CommandLine line;
  int index = 0;
  for (int found = 0; (found = ::getopt_long(argc, argv, "", kOptions, &index)) != -1;) {
    if (found == '?') Leave("see above");
    Take(found, kOptions[index].name, optarg, line);
  }
  if (optind != argc) Leave(fmt::format("'{}' is no option", argv[optind]));
  if (line.prefix.empty()) Leave("--prefix is missing");
  if (line.input.empty()) Leave("--input is missing");
  if (line.phase != "both" && line.phase != "decode" && line.phase != "judge") {
    Leave(fmt::format("--profile-phase is '{}'; decode or judge", line.phase));
  }
  if (line.phase != "both" && line.threads != 1) Leave("--profile-phase goes with one thread");
  if (line.socket != "stream" && line.socket != "queue") {
    Leave(fmt::format("--socket is '{}'; stream or queue", line.socket));
  }
  return line;
}

int Main(int argc, char** argv) {
  const std::string_view mode = argc < 2 ? "" : argv[1];
  if (mode != "engine" && mode != "daemon" && mode != "feed") {
    Leave("the first argument says what to run: engine, daemon or feed");
  }
  const CommandLine line = Parse(argc - 1, argv + 1);
  log::Configure("analysisd_bench", {}, true);
  if (mode == "feed") {
    return RunFeed(line.ForDaemon(), static_cast<int>(line.interval),
                   static_cast<double>(line.seconds));
  }
  if (line.events == 0 || (mode == "engine" && line.batch == 0)) {
    Leave("--events and, for the engine, --batch must be at least 1");
  }
  int status = 0;
  for (uint64_t i = 0; i < line.repeat; ++i) {
    const double unit = line.yardstick ? Yardstick(line.input) : 0;
    status |=
        mode == "engine" ? RunEngine(line.ForEngine(), unit) : RunDaemon(line.ForDaemon(), unit);
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
