// What agents cost remoted: thousands of them, simulated, against an installed one, over loopback.
//
//   remoted_bench keepalive|saturate|burst|storm --prefix DIR --input LOG [options]
//
// DIR is an installation of kind server whose <remote> listens on --port; a file benchmark-prefix
// in it says that its keys, counters and logs may be emptied. Each run starts remoted, lets all
// agents connect, measures, ends it and prints one JSON object. Figures of CPU are remoted's alone;
// sockets of the kernel deliver on loopback at the sender's expense. tests/bench/remoted_run.py
// does all of it.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "command_line.h"
#include "log/log.h"
#include "remoted_load.h"
#include "secure/cipher.h"

namespace ospatrol::bench {
namespace {

constexpr const char* kUsage =
    R"(usage: remoted_bench keepalive|saturate|burst|storm --prefix DIR --input LOG [options]
  --prefix DIR       an installation of kind server
  --input LOG        lines of the events, cycled; may be given again
  --port N           where its remoted listens, default 1514
  --protocol WHICH   v2 (default), aes or blowfish
  --agents N         default 1000
  --datagram N       largest datagram of version 2, 1200 to 8900; default 1400, as Ethernet has it
  --cpus LIST        processors of remoted, as 0 or 0,1
  --analysisd        the real one behind it, not a stand-in that only counts
  --no-yardstick     figures in microseconds only
keepalive:
  --seconds N        default 10
  --interval N       seconds between two keep-alives of an agent, default 600
  --rate N           events a second besides, of all agents together; default 0
saturate and burst:
  --events N         default 400000
  --senders N        agents that send them; default: all
  --window N         saturate, version 1: packets on their way, default 8000
storm:
  --rounds N         how often all agents start again at once, default 10
  --patience N       seconds until an agent gives its manager up, default 20
  --flood N          events that another agent has ready at the beginning of each round; default 0
)";

RemotedOptions::Mode ModeOf(const CommandLine& line, std::string_view name) {
  if (name == "keepalive") return RemotedOptions::Mode::kKeepAlive;
  if (name == "saturate") return RemotedOptions::Mode::kSaturate;
  if (name == "burst") return RemotedOptions::Mode::kBurst;
  if (name == "storm") return RemotedOptions::Mode::kStorm;
  line.Leave(fmt::format("'{}' is no mode", name));
}

RemotedOptions Parse(int argc, char** argv) {
  RemotedOptions options;
  CommandLine line("remoted_bench", kUsage);
  line.AddText("prefix", options.prefix);
  line.AddTexts("input", options.input);
  line.AddNumber("port", options.port, 1);
  line.AddText("protocol", options.protocol);
  line.AddNumber("agents", options.agents, 1);
  line.AddNumber("datagram", options.datagram, 1200);
  line.AddProcessors("cpus", options.cpus);
  line.AddFlag("analysisd", options.analysisd, true);
  line.AddFlag("no-yardstick", options.yardstick, false);
  line.AddNumber("seconds", options.seconds, 1);
  line.AddNumber("interval", options.interval, 1);
  line.AddNumber("rate", options.rate, 0);
  line.AddNumber("events", options.events, 1);
  line.AddNumber("senders", options.senders, 1);
  line.AddNumber("window", options.window, 1);
  line.AddNumber("rounds", options.rounds, 1);
  line.AddNumber("patience", options.patience, 1);
  line.AddNumber("flood", options.flood, 0);
  const auto words = line.Parse(argc, argv);
  if (words.size() != 1) line.Leave("one mode is expected");
  options.mode = ModeOf(line, words.front());
  if (options.prefix.empty()) line.Leave("--prefix is missing");
  if (options.input.empty()) line.Leave("--input is missing");
  if (options.protocol != "v2" && options.protocol != "aes" && options.protocol != "blowfish") {
    line.Leave(fmt::format("--protocol is '{}'; v2, aes or blowfish", options.protocol));
  }
  if (options.mode == RemotedOptions::Mode::kBurst && options.analysisd) {
    line.Leave("burst counts what arrives: not with --analysisd");
  }
  return options;
}

int Main(int argc, char** argv) {
  const RemotedOptions options = Parse(argc, argv);
  try {
    if (options.protocol == "blowfish") {
      if (const auto problem = secure::LoadLegacyProvider()) throw Error(*problem);
    }
    return RunRemoted(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "remoted_bench: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace ospatrol::bench

int main(int argc, char** argv) { return ospatrol::bench::Main(argc, argv); }
