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

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "command_line.h"
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

// One set of options for all modes; each takes what it knows.
struct Options {
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

Options Parse(CommandLine& line, int argc, char** argv) {
  Options options;
  line.AddText("prefix", options.prefix);
  line.AddTexts("input", options.input);
  line.AddNumber("events", options.events, 0);
  line.AddNumber("repeat", options.repeat, 1);
  line.AddFlag("no-yardstick", options.yardstick, false);
  line.AddNumber("locations", options.locations, 1);
  line.AddNumber("threads", options.threads, 1);
  line.AddNumber("batch", options.batch, 0);
  line.AddText("profile-phase", options.phase);
  line.AddNumber("warmup", options.warmup, 0);
  line.AddNumber("rate", options.rate, 0);
  line.AddText("socket", options.socket);
  line.AddNumber("connections", options.connections, 1);
  line.AddProcessors("sender-cpus", options.sender_cpus);
  line.AddProcessors("cpus", options.cpus);
  line.AddTexts("argument", options.arguments);
  line.AddFlag("no-expect", options.expect, false);
  line.AddNumber("seconds", options.seconds, 1);
  line.AddNumber("interval", options.interval, 1);
  line.AddFlag("no-prefilter", options.prefilter, false);
  if (const auto words = line.Parse(argc, argv); !words.empty()) {
    line.Leave(fmt::format("'{}' is no option", words.front()));
  }
  if (options.prefix.empty()) line.Leave("--prefix is missing");
  if (options.input.empty()) line.Leave("--input is missing");
  if (options.phase != "both" && options.phase != "decode" && options.phase != "judge") {
    line.Leave(fmt::format("--profile-phase is '{}'; decode or judge", options.phase));
  }
  if (options.phase != "both" && options.threads != 1) {
    line.Leave("--profile-phase goes with one thread");
  }
  if (options.socket != "stream" && options.socket != "queue") {
    line.Leave(fmt::format("--socket is '{}'; stream or queue", options.socket));
  }
  return options;
}

int Main(int argc, char** argv) {
  CommandLine line("analysisd_bench", kUsage);
  const std::string_view mode = argc < 2 ? "" : argv[1];
  if (mode != "engine" && mode != "daemon" && mode != "feed") {
    line.Leave("the first argument says what to run: engine, daemon or feed");
  }
  const Options options = Parse(line, argc - 1, argv + 1);
  log::Configure("analysisd_bench", {}, true);
  if (mode == "feed") {
    return RunFeed(options.ForDaemon(), static_cast<int>(options.interval),
                   static_cast<double>(options.seconds));
  }
  if (options.events == 0 || (mode == "engine" && options.batch == 0)) {
    line.Leave("--events and, for the engine, --batch must be at least 1");
  }
  int status = 0;
  for (uint64_t i = 0; i < options.repeat; ++i) {
    const double unit = options.yardstick ? Yardstick(options.input) : 0;
    status |= mode == "engine" ? RunEngine(options.ForEngine(), unit)
                               : RunDaemon(options.ForDaemon(), unit);
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
