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
#include <getopt.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
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

[[noreturn]] void Leave(const std::string& text) {
  fmt::print(stderr, "remoted_bench: {}\n{}", text, kUsage);
  std::exit(2);
}

uint64_t Number(std::string_view option, std::string_view text, uint64_t smallest) {
  const auto value = base::ParseNumber<uint64_t>(text);
  if (value && *value >= smallest) return *value;
  Leave(fmt::format("--{} is '{}'; a number of at least {} is expected", option, text, smallest));
}

std::vector<int> Processors(std::string_view option, std::string_view text) {
  std::vector<int> list;
  for (const std::string_view part : base::Split(text, ',')) {
    list.push_back(static_cast<int>(Number(option, part, 0)));
  }
  return list;
}

RemotedOptions::Mode ModeOf(std::string_view name) {
  if (name == "keepalive") return RemotedOptions::Mode::kKeepAlive;
  if (name == "saturate") return RemotedOptions::Mode::kSaturate;
  if (name == "burst") return RemotedOptions::Mode::kBurst;
  if (name == "storm") return RemotedOptions::Mode::kStorm;
  Leave(fmt::format("'{}' is no mode", name));
}

constexpr option kOptions[] = {{"prefix", required_argument, nullptr, 0},
                               {"input", required_argument, nullptr, 0},
                               {"port", required_argument, nullptr, 0},
                               {"protocol", required_argument, nullptr, 0},
                               {"agents", required_argument, nullptr, 0},
                               {"datagram", required_argument, nullptr, 0},
                               {"cpus", required_argument, nullptr, 0},
                               {"analysisd", no_argument, nullptr, 0},
                               {"no-yardstick", no_argument, nullptr, 0},
                               {"seconds", required_argument, nullptr, 0},
                               {"interval", required_argument, nullptr, 0},
                               {"rate", required_argument, nullptr, 0},
                               {"events", required_argument, nullptr, 0},
                               {"senders", required_argument, nullptr, 0},
                               {"window", required_argument, nullptr, 0},
                               {"rounds", required_argument, nullptr, 0},
                               {"patience", required_argument, nullptr, 0},
                               {"flood", required_argument, nullptr, 0},
                               {nullptr, 0, nullptr, 0}};

void Take(std::string_view name, const char* text, RemotedOptions& options) {
  const auto number = [&](uint64_t smallest) { return Number(name, text, smallest); };
  if (name == "prefix") {
    options.prefix = text;
  } else if (name == "input") {
    options.input.emplace_back(text);
  } else if (name == "port") {
    options.port = static_cast<uint16_t>(number(1));
  } else if (name == "protocol") {
    options.protocol = text;
  } else if (name == "agents") {
    options.agents = number(1);
  } else if (name == "datagram") {
    options.datagram = number(1200);
  } else if (name == "cpus") {
    options.cpus = Processors(name, text);
  } else if (name == "analysisd") {
    options.analysisd = true;
  } else if (name == "no-yardstick") {
    options.yardstick = false;
  } else if (name == "seconds") {
    options.seconds = static_cast<double>(number(1));
  } else if (name == "interval") {
    options.interval = static_cast<double>(number(1));
  } else if (name == "rate") {
    options.rate = static_cast<double>(number(0));
  } else if (name == "events") {
    options.events = number(1);
  } else if (name == "senders") {
    options.senders = number(1);
  } else if (name == "window") {
    options.window = number(1);
  } else if (name == "rounds") {
    options.rounds = number(1);
  } else if (name == "patience") {
    options.patience = static_cast<double>(number(1));
  } else if (name == "flood") {
    options.flood = number(0);
  }
}

RemotedOptions Parse(int argc, char** argv) {
  RemotedOptions options;
  int index = 0;
  for (int found = 0; (found = ::getopt_long(argc, argv, "", kOptions, &index)) != -1;) {
    if (found == '?') Leave("see above");
    Take(kOptions[index].name, optarg, options);
  }
  if (optind + 1 != argc) Leave("one mode is expected");
  options.mode = ModeOf(argv[optind]);
  if (options.prefix.empty()) Leave("--prefix is missing");
  if (options.input.empty()) Leave("--input is missing");
  if (options.protocol != "v2" && options.protocol != "aes" && options.protocol != "blowfish") {
    Leave(fmt::format("--protocol is '{}'; v2, aes or blowfish", options.protocol));
  }
  if (options.mode == RemotedOptions::Mode::kBurst && options.analysisd) {
    Leave("burst counts what arrives: not with --analysisd");
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
