// remoted under load: starts an installed ospatrol-remoted in a prefix that belongs to benchmarks,
// plays analysisd (takes frames and answers at once) and N agents, and prints one JSON object.
//
//   remoted_bench --prefix DIR --protocol v1|v2 [--cipher aes|blowfish] --agents N
//                 --mode idle|events|burst [--seconds S] [--rate EVENTS_PER_S] [--packets N]
//                 [--interval S] [--input LOG] [--cpus A,B] [--sender-cpus A,B]
//
// idle    all agents connect, then send keep-alives every --interval seconds
// events  events at --rate in all (0: as fast as they are taken), keep-alives of 100 agents beside
// burst   --packets sealed packets of version 1 at once, as fast as the kernel takes them
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>

#include "../unit/remoted/session_agent.h"
#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "base/text.h"
#include "base/time.h"
#include "ipc/stream.h"
#include "meter.h"
#include "remoted/udp.h"
#include "secure/control_message.h"
#include "secure/keys_file.h"
#include "secure/sealed_message.h"
#include "sender.h"

namespace ospatrol::bench {
namespace {

using remoted::SessionAgent;
using secure::v2::Now;

constexpr uint16_t kPort = 21514;

struct Options {
  std::filesystem::path prefix;
  bool v2 = false;
  secure::Cipher cipher = secure::Cipher::kAes;
  size_t agents = 1000;
  std::string mode = "events";
  double seconds = 10, rate = 0, interval = 600;
  size_t packets = 100'000;
  std::vector<std::filesystem::path> input;
  std::vector<int> cpus, sender_cpus;
};

std::string KeyOf(size_t agent) { return fmt::format("{:064x}", agent * 2654435761U + 1); }
std::string IdOf(size_t agent) { return fmt::format("{:03}", agent + 1); }
std::string NameOf(size_t agent) { return fmt::format("agent{}", agent + 1); }

Now TheTime() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
          base::WallNowMilliseconds()};
}

// analysisd's end of the stream: counts events and answers each frame at once.
class Analysis {
 public:
  explicit Analysis(const std::filesystem::path& socket) : listener_(socket, 0666) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Analysis() {
    stop_ = true;
    thread_.join();
  }
  uint64_t events() const { return events_; }

 private:
  void Run() {
    std::optional<ipc::StreamPeer> peer;
    std::string buffer, reason;
    ipc::Frame frame;
    while (!stop_) {
      pollfd ready{peer ? peer->fd() : listener_.fd(), POLLIN, 0};
      if (::poll(&ready, 1, 50) <= 0) continue;
      if (!peer) {
        base::Fd fd = listener_.Accept();
        if (fd) peer.emplace(std::move(fd));
        continue;
      }
      const auto status = peer->Receive(buffer, frame, reason);
      if (status == ipc::StreamPeer::Status::kFrame) {
        for (const auto& group : frame.groups) events_ += group.events.size();
        peer->Answer(frame.number);
      } else if (status != ipc::StreamPeer::Status::kEmpty) {
        peer.reset();
      }
    }
  }

  ipc::StreamListener listener_;
  std::atomic<uint64_t> events_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class Daemon {
 public:
  explicit Daemon(const Options& options) : prefix_(options.prefix) {
    std::ofstream keys(prefix_ / "etc/client.keys");
    for (size_t i = 0; i < options.agents; ++i) {
      keys << IdOf(i) << ' ' << NameOf(i) << " any " << KeyOf(i) << '\n';
    }
    keys.close();
    std::ofstream(prefix_ / "etc/ospatrol.conf")
        << "<ospatrol_config><remote><connection>secure</connection><port>" << kPort
        << "</port></remote></ospatrol_config>\n";
    pid_ = ::fork();
    if (pid_ < 0) throw Error("fork failed");
    if (pid_ == 0) {
      PinThread(options.cpus);
      const std::string program = prefix_ / "bin/ospatrol-remoted";
      ::execl(program.c_str(), program.c_str(), "-f", "-D", prefix_.c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~Daemon() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  double Cpu() const {
    double total = 0;
    CpuOf(pid_, total);
    return total;
  }
  // Waits until it has done what comes once: files of new agents, shared files.
  void Settle() const {
    for (int i = 0; i < 120; ++i) {
      const double before = Cpu();
      std::this_thread::sleep_for(std::chrono::seconds(2));
      if (Cpu() - before < 0.03) return;
    }
  }
  long Kib(std::string_view key) const { return StatusKib(pid_, key); }
  uint64_t Descriptors() const {
    uint64_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid_))) {
      ++count;
    }
    return count;
  }
  // A counter of its state file, which it writes every few seconds.
  uint64_t State(std::string_view key) const {
    const auto text = base::ReadFileIfPresent(prefix_ / "var/run/ospatrol-remoted.state");
    const std::string wanted = fmt::format("{}='", key);
    const size_t at = text ? text->find("\n" + wanted) : std::string::npos;
    if (at == std::string::npos) return 0;
    const size_t begin = at + 1 + wanted.size();
    return base::ParseNumber<uint64_t>(text->substr(begin, text->find('\'', begin) - begin))
        .value_or(0);
  }

 private:
  std::filesystem::path prefix_;
  pid_t pid_ = -1;
};

// Sockets that stand for hosts: the kernel spreads their packets over the receivers.
class Hosts {
 public:
  static constexpr size_t kSockets = 64;
  Hosts() {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(kPort);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < kSockets; ++i) {
      base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const int size = 8 << 20;
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
      ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
      if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        throw Error("connect: " + base::ErrnoText(errno));
      }
      sockets_.push_back(std::move(fd));
    }
  }
  int Of(size_t agent) const { return sockets_[agent % kSockets].get(); }
  const std::vector<base::Fd>& sockets() const { return sockets_; }
  void Send(size_t agent, const void* bytes, size_t size) const {
    while (::send(Of(agent), bytes, size, 0) < 0 && (errno == EAGAIN || errno == ECONNREFUSED)) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }

 private:
  std::vector<base::Fd> sockets_;
};

struct Figures {
  double seconds = 0;
  uint64_t offered = 0;  // events or packets
  uint64_t keep_alives = 0, acknowledged = 0;
};

// N agents of version 1: counters, keys, sealed packets.
class LegacyAgents {
 public:
  LegacyAgents(const Options& options, const Lines& lines) : options_(options), lines_(lines) {
    for (size_t i = 0; i < options.agents; ++i) {
      keys_.push_back(
          secure::DeriveKeys(*secure::MakeAgentKey(IdOf(i), NameOf(i), "any", KeyOf(i))));
    }
    counters_.assign(options.agents, secure::Counter{static_cast<uint32_t>(base::WallNow()), 0});
  }

  std::string Seal(size_t agent, std::string_view message) {
    counters_[agent] = counters_[agent].Next();
    return std::string(
        secure::Seal(engine_, keys_[agent], options_.cipher, IdOf(agent), counters_[agent], message)
            .datagram);
  }
  std::string KeepAlive(size_t agent) {
    return Seal(agent,
                secure::FormatKeepAlive({.uname = "Linux bench 6.1 #1 x86_64 - OSSEC HIDS v4.2.0",
                                         .agent_conf_md5 = {},
                                         .merged_md5 = {},
                                         .offers_v2 = false,
                                         .filler = secure::RandomFiller()}));
  }
  std::vector<std::string> Events(size_t count) {
    std::vector<std::string> packets;
    packets.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      packets.push_back(Seal(EventAgent(i), lines_.message(i)));
    }
    return packets;
  }

  // The first 100 send keep-alives only: a keep-alive is sealed when it is sent, and would make
  // packets that were sealed before it look old.
  static constexpr size_t kQuiet = 100;
  size_t EventAgent(size_t event) const {
    return options_.agents <= kQuiet ? event % options_.agents
                                     : kQuiet + event % (options_.agents - kQuiet);
  }

  uint64_t Drain() const {
    uint64_t got = 0;
    char buffer[2048];
    for (const base::Fd& fd : hosts.sockets()) {
      while (::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT) > 0) ++got;
    }
    return got;
  }

  void Connect() {
    for (size_t i = 0; i < options_.agents; ++i) {
      const std::string hello = Seal(i, secure::kStartupMessage);
      hosts.Send(i, hello.data(), hello.size());
      const std::string alive = KeepAlive(i);
      hosts.Send(i, alive.data(), alive.size());
      if (i % 64 == 63) Drain();
    }
  }

  Hosts hosts;

 private:
  const Options& options_;
  const Lines& lines_;
  secure::CipherEngine engine_;
  std::vector<secure::DerivedKeys> keys_;
  std::vector<secure::Counter> counters_;
};

Figures RunLegacy(const Options& options, LegacyAgents& agents, const Analysis& analysis) {
  Figures figures;
  const double began = MonotonicSeconds();
  if (options.mode == "idle") {
    const double pause = options.interval / static_cast<double>(options.agents);
    double next = began;
    size_t agent = 0;
    while (MonotonicSeconds() - began < options.seconds) {
      while (next <= MonotonicSeconds()) {
        const std::string packet = agents.KeepAlive(agent);
        agents.hosts.Send(agent, packet.data(), packet.size());
        agent = (agent + 1) % options.agents;
        next += pause;
        ++figures.keep_alives;
      }
      figures.acknowledged += agents.Drain();
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    figures.acknowledged += agents.Drain();
    figures.seconds = MonotonicSeconds() - began;
    return figures;
  }
  const size_t count =
      options.mode == "burst"
          ? options.packets
          : static_cast<size_t>(options.seconds * (options.rate > 0 ? options.rate : 120'000));
  const std::vector<std::string> packets = agents.Events(count);
  agents.Drain();
  const uint64_t before = analysis.events();
  const double start = MonotonicSeconds();
  double next_alive = start;
  size_t alive = 0;
  for (size_t i = 0; i < packets.size(); ++i) {
    const std::string& packet = packets[i];
    ::send(agents.hosts.Of(agents.EventAgent(i)), packet.data(), packet.size(), 0);
    ++figures.offered;
    if ((i & 63) != 0) continue;
    if (options.mode == "events") {
      const double now = MonotonicSeconds();
      if (now >= next_alive) {  // one of 100 agents each 10 ms
        const std::string beat = agents.KeepAlive(alive % LegacyAgents::kQuiet);
        agents.hosts.Send(alive % LegacyAgents::kQuiet, beat.data(), beat.size());
        ++alive;
        ++figures.keep_alives;
        next_alive = now + 0.01;
        figures.acknowledged += agents.Drain();
      }
      if (options.rate > 0) {
        const double due = start + static_cast<double>(i) / options.rate;
        if (due > now) std::this_thread::sleep_for(std::chrono::duration<double>(due - now));
      }
    }
  }
  // Until nothing more comes.
  uint64_t last = analysis.events();
  double changed = MonotonicSeconds();
  while (MonotonicSeconds() - changed < 5.0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    figures.acknowledged += agents.Drain();
    if (analysis.events() != last) {
      last = analysis.events();
      changed = MonotonicSeconds();
      if (last - before >= figures.offered) break;
    }
  }
  figures.seconds = changed - start;
  return figures;
}

// N agents of version 2, all driven by one thread.
class SessionAgents {
 public:
  SessionAgents(const Options& options, const Lines& lines) : options_(options) {
    for (size_t i = 0; i < options.agents; ++i) {
      agents_.push_back(std::make_unique<SessionAgent>(
          IdOf(i), NameOf(i), KeyOf(i),
          [&lines, i](uint64_t number) { return std::string(lines.message(i + number)); },
          random_));
    }
    wake_.assign(options.agents, 0);
  }

  void Connect() {
    const Now now = TheTime();
    size_t begun = 0, established = 0;
    while (established < agents_.size()) {
      // At most 150 hand-shakes a second need no cookie; more are fine, too.
      for (int i = 0; i < 64 && begun < agents_.size(); ++i, ++begun) {
        agents_[begun]->link.Start(TheTime());
        Pump(begun);
      }
      Receive();
      Tick();
      established = 0;
      for (const auto& agent : agents_) established += agent->link.established() ? 1 : 0;
      if (TheTime().monotonic_ms - now.monotonic_ms > 600'000) throw Error("agents do not connect");
    }
  }

  void AddEvents(size_t agent, uint64_t count) {
    agents_[agent]->AddEvents(count);
    agents_[agent]->link.EventsAdded(TheTime(), false);
    Pump(agent);
  }
  uint64_t Waiting(size_t agent) const {
    return agents_[agent]->next() - 1 - agents_[agent]->acknowledged();
  }

  void Pump(size_t agent) {
    const Now now = TheTime();
    while (const size_t size = agents_[agent]->link.NextDatagram(now, out_)) {
      if (out_[2] == 1) {  // HELLO: the id by which answers are told apart
        uint32_t connection = 0;
        std::memcpy(&connection, out_.data() + 24, sizeof connection);
        by_connection_[connection] = agent;
      }
      hosts_.Send(agent, out_.data(), size);
    }
    wake_[agent] = agents_[agent]->link.NextWake(now);
  }

  void Receive() {
    std::array<uint8_t, 9000> buffer;
    for (const base::Fd& fd : hosts_.sockets()) {
      ssize_t got = 0;
      while ((got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
        uint32_t connection = 0;
        std::memcpy(&connection, buffer.data() + 4, sizeof connection);
        const auto found = by_connection_.find(connection);
        if (found == by_connection_.end()) continue;
        agents_[found->second]->link.Receive(TheTime(), {buffer.data(), static_cast<size_t>(got)});
        Pump(found->second);
      }
    }
  }

  void Tick() {
    const int64_t now = TheTime().monotonic_ms;
    if (now == ticked_) return;
    ticked_ = now;
    for (size_t i = 0; i < agents_.size(); ++i) {
      if (wake_[i] <= now) Pump(i);
    }
  }
  size_t size() const { return agents_.size(); }

 private:
  const Options& options_;
  secure::v2::KernelRandom random_;
  Hosts hosts_;
  std::vector<std::unique_ptr<SessionAgent>> agents_;
  std::vector<int64_t> wake_;
  std::unordered_map<uint32_t, size_t> by_connection_;
  std::array<uint8_t, secure::v2::kMaxDatagram> out_{};
  int64_t ticked_ = 0;
};

Figures RunSessions(const Options& options, SessionAgents& agents, const Analysis& analysis) {
  Figures figures;
  const uint64_t before = analysis.events();
  const double began = MonotonicSeconds();
  size_t next = 0;
  while (MonotonicSeconds() - began < options.seconds) {
    if (options.mode == "events") {
      const double due = options.rate > 0 ? (MonotonicSeconds() - began) * options.rate : 1e18;
      for (int turn = 0; turn < 64 && static_cast<double>(figures.offered) < due; ++turn) {
        const size_t agent = next++ % agents.size();
        if (options.rate == 0 && agents.Waiting(agent) > 2000) continue;
        const uint64_t count = options.rate > 0 ? 1 : 500;
        agents.AddEvents(agent, count);
        figures.offered += count;
      }
    }
    agents.Receive();
    agents.Tick();
    if (options.rate > 0 || options.mode == "idle") {
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  }
  figures.seconds = MonotonicSeconds() - began;
  figures.offered = analysis.events() - before;  // what is on its way still counts as not lost
  return figures;
}

void Print(const Options& options, const Daemon& daemon, const Figures& figures, double cpu,
           uint64_t delivered, double unit) {
  Report report;
  report.Add("mode", options.mode);
  report.Add("protocol", options.v2 ? "v2" : "v1");
  if (!options.v2) report.Add("cipher", secure::CipherName(options.cipher));
  report.Add("agents", uint64_t{options.agents});
  report.Add("seconds", figures.seconds, 2);
  report.Add("offered", figures.offered);
  report.Add("delivered", delivered);
  report.Add("events_per_s", static_cast<double>(delivered) / figures.seconds, 0);
  report.Add("cpu_s", cpu, 3);
  if (delivered > 0) {
    const double us = cpu * 1e6 / static_cast<double>(delivered);
    report.Add("cpu_us_per_event", us, 3);
    if (unit > 0) report.Add("units_per_event", us / unit, 3);
  }
  report.Add("cpu_ms_per_minute", cpu * 60'000 / figures.seconds, 1);
  report.Add("keep_alives", figures.keep_alives);
  report.Add("acknowledged", figures.acknowledged);
  std::this_thread::sleep_for(std::chrono::milliseconds(5500));  // the state file is behind
  report.Add("packets", daemon.State("packets"));
  report.Add("dropped_by_kernel", daemon.State("packets_dropped_by_kernel"));
  report.Add("dropped_by_overload", daemon.State("packets_dropped_by_overload"));
  report.Add("events_dropped", daemon.State("events_dropped"));
  report.Add("rss_kib", static_cast<uint64_t>(daemon.Kib("VmRSS")));
  report.Add("rss_anon_kib", static_cast<uint64_t>(daemon.Kib("RssAnon")));
  report.Add("peak_rss_kib", static_cast<uint64_t>(daemon.Kib("VmHWM")));
  report.Add("descriptors", daemon.Descriptors());
  report.Print();
}

int Run(const Options& options) {
  if (!std::filesystem::exists(options.prefix / "benchmark-prefix")) {
    throw Error("the prefix must carry the file benchmark-prefix: its keys are replaced");
  }
  const Lines lines(options.input, 8);
  const double unit = Yardstick(options.input);
  const std::filesystem::path stream = options.prefix / "queue/ospatrol/stream";
  Analysis analysis(stream);
  PinThread(options.sender_cpus);
  Daemon daemon(options);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const auto measure = [&](auto& agents, const auto& run) {
    agents.Connect();
    daemon.Settle();
    const double cpu = daemon.Cpu();
    const uint64_t events = analysis.events();
    const Figures figures = run(options, agents, analysis);
    Print(options, daemon, figures, daemon.Cpu() - cpu, analysis.events() - events, unit);
  };
  if (options.v2) {
    SessionAgents agents(options, lines);
    measure(agents, RunSessions);
  } else {
    secure::LoadLegacyProvider();
    LegacyAgents agents(options, lines);
    measure(agents, RunLegacy);
  }
  return 0;
}

std::vector<int> Numbers(std::string_view text) {
  std::vector<int> numbers;
  for (const std::string_view part : base::Split(text, ',')) {
    if (const auto number = base::ParseNumber<int>(part)) numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace
}  // namespace ospatrol::bench

int main(int argc, char** argv) {
  using namespace ospatrol::bench;
  Options options;
  constexpr option kOptions[] = {
      {"prefix", 1, nullptr, 'D'}, {"protocol", 1, nullptr, 'p'}, {"cipher", 1, nullptr, 'c'},
      {"agents", 1, nullptr, 'n'}, {"mode", 1, nullptr, 'm'},     {"seconds", 1, nullptr, 's'},
      {"rate", 1, nullptr, 'r'},   {"packets", 1, nullptr, 'k'},  {"interval", 1, nullptr, 'i'},
      {"input", 1, nullptr, 'f'},  {"cpus", 1, nullptr, 'C'},     {"sender-cpus", 1, nullptr, 'S'},
      {nullptr, 0, nullptr, 0}};
  int letter = 0;
  while ((letter = getopt_long(argc, argv, "", kOptions, nullptr)) != -1) {
    const std::string value = optarg == nullptr ? "" : optarg;
    switch (letter) {
      case 'D':
        options.prefix = value;
        break;
      case 'p':
        options.v2 = value == "v2";
        break;
      case 'c':
        options.cipher = value == "blowfish" ? ospatrol::secure::Cipher::kBlowfish
                                             : ospatrol::secure::Cipher::kAes;
        break;
      case 'n':
        options.agents = std::stoul(value);
        break;
      case 'm':
        options.mode = value;
        break;
      case 's':
        options.seconds = std::stod(value);
        break;
      case 'r':
        options.rate = std::stod(value);
        break;
      case 'k':
        options.packets = std::stoul(value);
        break;
      case 'i':
        options.interval = std::stod(value);
        break;
      case 'f':
        options.input.emplace_back(value);
        break;
      case 'C':
        options.cpus = Numbers(value);
        break;
      case 'S':
        options.sender_cpus = Numbers(value);
        break;
      default:
        return 2;
    }
  }
  try {
    return Run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
