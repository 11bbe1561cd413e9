// What version 2 costs per event: packing and sealing at the agent, opening and delivering at the
// manager. One thread, no network: datagrams go from one link to the other in memory. Prints CPU
// time, to be compared with one yardstick unit. Usage: session_bench [EVENTS [FILE]]   FILE: lines
// to send (default: made up ones)
#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "secure/v2/agent_link.h"
#include "secure/v2/manager_link.h"

namespace {

using namespace ospatrol::secure::v2;

double CpuMicroseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

class Spool : public EventSource {
 public:
  Spool(std::vector<std::string> lines, uint64_t count) : lines_(std::move(lines)), count_(count) {}
  SpoolId id() const override { return {1}; }
  uint64_t first() const override { return first_; }
  uint64_t next() const override { return count_ + 1; }
  std::optional<std::string_view> Event(uint64_t number) override {
    return lines_[number % lines_.size()];
  }
  void Acknowledged(uint64_t number) override { first_ = number + 1; }
  void SetBack() override {}

 private:
  std::vector<std::string> lines_;
  uint64_t count_;
  uint64_t first_ = 1;
};

class Agent : public AgentPeer {
 public:
  std::optional<uint64_t> NextHelloCounter(uint64_t at_least) override { return at_least; }
  void Established(const Session&) override {}
  void Unreachable() override {}
  void ClosedByManager(uint16_t, std::string_view) override {}
  Answer Control(std::string_view) override { return {}; }
  void ControlDone(uint64_t) override {}
  bool FileBegins(std::string_view, uint64_t) override { return false; }
  bool FileBytes(std::string_view, Bytes) override { return false; }
  FileVerdict FileComplete(std::string_view) override { return {}; }
  void FileAborted(std::string_view) override {}
  StatusFrame Status() override { return {}; }
};

class Manager : public ManagerPeer {
 public:
  uint64_t HelloCounter() override { return 0; }
  void SaveHelloCounter(uint64_t) override {}
  uint64_t StoredEvent(const SpoolId&) override { return 0; }
  bool Deliver(const SpoolId& id, uint64_t first,
               std::span<const std::string_view> events) override {
    spool = id;
    delivered = first + events.size() - 1;
    for (const std::string_view event : events) bytes += event.size();
    return true;
  }
  void Established(const Session&) override {}
  void Closed(uint16_t, std::string_view) override {}
  void StatusReceived(const StatusFrame&) override {}
  void ControlFinished(uint64_t, ControlOutcome, std::string_view) override {}
  void FileFinished(std::string_view, FileOutcome, std::string_view) override {}
  void KeyShared() override {}

  SpoolId spool{};
  uint64_t delivered = 0;
  uint64_t bytes = 0;
};

std::vector<std::string> MadeUpLines() {
  std::vector<std::string> lines;
  uint64_t random = 1;
  const auto next = [&random](uint64_t bound) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    return (random >> 33) % bound;
  };
  for (int i = 0; i < 5000; ++i) {
    lines.push_back(fmt::format(
        "1:/var/log/auth.log:Nov 22 {:02}:{:02}:{:02} web{:02} sshd[{}]: Failed password for "
        "invalid user u{} from 203.0.{}.{} port {} ssh2",
        i / 3600, i / 60 % 60, i % 60, next(20), 1000 + next(30000), next(1000), next(255),
        next(255), 1024 + next(60000)));
  }
  return lines;
}

std::vector<std::string> ReadLines(const char* path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back("1:/var/log/messages:" + line);
  }
  return lines.empty() ? MadeUpLines() : lines;
}

void Measure(const std::vector<std::string>& lines, uint64_t count, Cipher cipher,
             uint16_t datagram) {
  KernelRandom random;
  Responder::Config manager_config;
  manager_config.ciphers = static_cast<uint8_t>(1 << static_cast<int>(cipher));
  manager_config.max_datagram = datagram;
  Responder responder(manager_config, random);
  const auto worker = std::make_unique<Worker>();
  Manager manager;
  ManagerLink link(responder, 1, DerivePsk("001", "bench", "key"));
  Spool spool(lines, count);
  Agent agent;
  AgentLink::Config config;
  config.agent_id = "001";
  config.name = "bench";
  config.key = "key";
  config.ciphers = 3;
  AgentLink sender(config, spool, agent, random);

  Now now{1000, 1795000000000};
  std::array<uint8_t, kMaxDatagram> out{};
  const std::array<uint8_t, 6> peer{};
  std::vector<std::string> packets;
  double agent_us = 0;
  double manager_us = 0;
  uint64_t sent = 0;
  uint64_t sent_bytes = 0;
  sender.Start(now);
  while (spool.first() <= count) {
    packets.clear();
    double start = CpuMicroseconds();
    while (const size_t size = sender.NextDatagram(now, out)) {
      packets.emplace_back(AsText(Bytes(out).first(size)));
    }
    agent_us += CpuMicroseconds() - start;
    start = CpuMicroseconds();
    std::vector<std::string> answers;
    for (const std::string& packet : packets) {
      std::array<uint8_t, kHelloSize> reply{};
      const auto route = responder.Look(now, peer, AsBytes(packet), reply);
      if (route.kind == Responder::Route::Kind::kHello) {
        const auto outcome = link.ReceiveHello(*worker, manager, now, AsBytes(packet), reply);
        answers.emplace_back(AsText(Bytes(reply).first(outcome.reply)));
      } else {
        link.ReceiveData(*worker, manager, now, AsBytes(packet));
        while (const size_t size = link.NextDatagram(*worker, manager, now, out)) {
          answers.emplace_back(AsText(Bytes(out).first(size)));
        }
      }
    }
    link.Stored(manager.spool, manager.delivered, now);
    now.monotonic_ms += 1;
    now.wall_ms += 1;
    while (const size_t size = link.NextDatagram(*worker, manager, now, out)) {
      answers.emplace_back(AsText(Bytes(out).first(size)));
    }
    manager_us += CpuMicroseconds() - start;
    for (const std::string& packet : packets) sent_bytes += packet.size();
    sent += packets.size();
    start = CpuMicroseconds();
    for (const std::string& answer : answers) sender.Receive(now, AsBytes(answer));
    agent_us += CpuMicroseconds() - start;
  }
  const auto events = static_cast<double>(count);
  fmt::print(
      "{:18} {:5}  agent {:.3f} us  manager {:.3f} us  ({:.0f} events/s)  {:5.1f} events and "
      "{:4.0f} "
      "raw bytes a packet, {:.1f} bytes an event on the wire\n",
      CipherName(cipher), datagram, agent_us / events, manager_us / events,
      1e6 * events / manager_us, events / static_cast<double>(sent),
      static_cast<double>(manager.bytes) / static_cast<double>(sent),
      static_cast<double>(sent_bytes) / events);
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t count = argc > 1 ? std::stoull(argv[1]) : 500000;
  const auto lines = argc > 2 ? ReadLines(argv[2]) : MadeUpLines();
  for (const Cipher cipher : {Cipher::kAes256Gcm, Cipher::kChaCha20Poly1305}) {
    for (const uint16_t datagram : {1200, 1400, 8900}) Measure(lines, count, cipher, datagram);
  }
}
