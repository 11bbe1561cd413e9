// A network, agents and a manager in one thread and in virtual time. Everything random comes from
// one seed, so a run that fails can be repeated exactly.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "secure/v2/agent_link.h"
#include "secure/v2/manager_link.h"

namespace ospatrol::secure::v2::test {

// SplitMix64: small, fast, repeatable.
class SeededRandom : public RandomSource {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  bool Chance(double p) { return static_cast<double>(Next() >> 11) * 0x1p-53 < p; }
  void Fill(MutableBytes bytes) override {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(Next());
  }

 private:
  uint64_t state_;
};

// On "disk": survives the agent's restart.
class Spool : public EventSource {
 public:
  explicit Spool(SeededRandom& random) { random.Fill(id_); }

  void Append(std::string event) { events_.push_back(std::move(event)); }
  void Damage(uint64_t number) { damaged_.insert(number); }
  void DropOldest(uint64_t first) { first_ = std::max(first_, first); }

  SpoolId id() const override { return id_; }
  uint64_t first() const override { return first_; }
  uint64_t next() const override { return events_.size() + 1; }
  std::optional<std::string_view> Event(uint64_t number) override;
  void Acknowledged(uint64_t number) override;
  void SetBack() override;

  const std::vector<std::string>& all() const { return events_; }
  bool IsLost(uint64_t number) const { return damaged_.contains(number); }
  bool empty() const { return first_ == next(); }
  int set_back() const { return set_back_; }
  uint64_t acknowledged() const { return acknowledged_; }
  // What the disk looked like at some time, to be put back later.
  struct Snapshot {
    SpoolId id;
    uint64_t first;
    std::vector<std::string> events;
  };
  Snapshot Take() const { return {id_, first_, events_}; }
  void Restore(const Snapshot& snapshot);

 private:
  SpoolId id_{};
  std::vector<std::string> events_;  // event 1 first
  std::set<uint64_t> damaged_;
  uint64_t first_ = 1;
  uint64_t acknowledged_ = 0;
  int set_back_ = 0;
};

struct Network {
  double loss = 0;
  double twice = 0;
  int64_t delay_ms = 5;
  int64_t jitter_ms = 0;  // more than delay: packets overtake each other
  bool black_hole = false;
  size_t mtu = 65535;
};

class Simulation;

class SimulatedAgent : public AgentPeer {
 public:
  SimulatedAgent(Simulation& world, std::string id, std::string key, uint64_t address);

  // A kill -9 and a start.
  void Restart();
  void Kill() { link.reset(); }
  void Add(std::string event, bool urgent = false);

  std::optional<uint64_t> NextHelloCounter(uint64_t at_least) override;
  void Established(const Session& session) override;
  void Unreachable() override { ++unreachable; }
  void ClosedByManager(uint16_t reason, std::string_view) override { closed_reason = reason; }
  Answer Control(std::string_view text) override;
  void ControlDone(uint64_t number) override { controls_done.push_back(number); }
  bool FileBegins(std::string_view name, uint64_t size) override;
  bool FileBytes(std::string_view name, Bytes bytes) override;
  FileVerdict FileComplete(std::string_view name) override;
  void FileAborted(std::string_view name) override { parts.erase(std::string(name)); }
  StatusFrame Status() override;

  Simulation& world;
  const std::string id;
  const std::string key;
  uint64_t address;
  Spool spool;
  std::unique_ptr<AgentLink> link;
  AgentLink::Config config;
  uint64_t hello_counter = 0;  // on disk
  std::vector<uint64_t> controls_done;
  std::map<std::string, int> controls;  // text -> how often
  std::map<std::string, std::string> parts;
  std::map<std::string, std::string> files;
  std::map<Verdict, int> verdicts;
  std::vector<Session> sessions;
  int unreachable = 0;
  int closed_reason = -1;
  uint64_t file_bytes = 0;
};

// remoted with analysisd behind it.
class SimulatedManager {
 public:
  struct Agent : public ManagerPeer {
    Agent(Simulation& world, std::string id, const std::string& key);
    uint64_t HelloCounter() override;
    void SaveHelloCounter(uint64_t counter) override;
    uint64_t StoredEvent(const SpoolId& spool) override;
    bool Deliver(const SpoolId& spool, uint64_t first,
                 std::span<const std::string_view> events) override;
    void Established(const Session& session) override;
    void Closed(uint16_t reason, std::string_view) override { closed_reason = reason; }
    void StatusReceived(const StatusFrame& status) override;
    void ControlFinished(uint64_t number, ControlOutcome outcome, std::string_view text) override;
    void FileFinished(std::string_view name, FileOutcome outcome, std::string_view text) override;
    void KeyShared() override { ++key_shared; }

    Simulation& world;
    const std::string id;
    Psk psk;
    std::unique_ptr<ManagerLink> link;
    uint64_t address = 0;
    std::map<uint64_t, ControlOutcome> controls;
    std::map<uint64_t, std::string> control_texts;
    std::map<std::string, FileOutcome> files;
    std::map<Verdict, int> verdicts;
    std::vector<Session> sessions;
    int statuses = 0;
    std::string uname;
    int closed_reason = -1;
    int key_shared = 0;
  };

  explicit SimulatedManager(Simulation& world);
  void AddAgent(const std::string& id, const std::string& key);
  void Kill();
  void Start();
  void Receive(uint64_t from, Bytes datagram);
  bool Flush(Agent& agent);  // true when something was sent
  void Take(const SpoolId& spool, uint64_t first, const std::vector<std::string>& events);
  void Answer(const SpoolId& spool, uint64_t number);

  // State on disk.
  std::map<std::string, uint64_t> hello_counters;
  std::map<SpoolId, uint64_t> stored;
  // analysisd: what it took, and the last number per sender.
  std::map<SpoolId, std::vector<std::string>> taken;
  std::map<SpoolId, std::vector<uint64_t>> taken_numbers;
  std::map<SpoolId, uint64_t> last;
  std::map<SpoolId, std::set<uint64_t>> allowed_gaps;
  bool full = false;      // analysisd takes nothing
  int64_t outlet_ms = 3;  // until analysisd takes what was delivered
  int64_t answer_ms = 8;  // until it answers
  int redelivered = 0;    // repeats that its numbers kept out

  Simulation& world;
  Responder::Config config;
  std::unique_ptr<Responder> responder;
  std::unique_ptr<Worker> worker;
  std::map<std::string, std::unique_ptr<Agent>> agents;
  std::map<Verdict, int> routes;
  int life = 0;  // answers that were on their way to a killed remoted do not arrive
};

class Simulation {
 public:
  static constexpr uint64_t kManager = 1;  // address

  explicit Simulation(uint64_t seed);

  SimulatedAgent& AddAgent(const std::string& id, const std::string& key, uint64_t address);
  void At(int64_t when_ms, std::function<void()> action);  // relative to the start
  void In(int64_t delay_ms, std::function<void()> action) {
    At(elapsed() + delay_ms, std::move(action));
  }
  // Until `done` holds or the time is over; gives done().
  bool Run(int64_t limit_ms, const std::function<bool()>& done);
  void RunFor(int64_t ms) {
    Run(elapsed() + ms, [] { return false; });
  }

  void Send(uint64_t from, uint64_t to, Bytes datagram);
  void Inject(uint64_t from, uint64_t to, const std::string& datagram) {
    Arrive(from, to, datagram);
  }
  Now now() const { return {now_ms_, now_ms_ + wall_offset_ms}; }
  int64_t elapsed() const { return now_ms_ - kStartMs; }

  // Everything of every agent's spool arrived at analysisd once and in order, and the agents know
  // it.
  bool IsDone() const;
  std::string Differences() const;  // empty when IsDone and nothing is amiss

  SeededRandom random;
  Network network;
  int64_t wall_offset_ms = 1795000000000;
  SimulatedManager manager;
  std::vector<std::unique_ptr<SimulatedAgent>> agents;
  struct Recorded {
    uint64_t from;
    uint64_t to;
    std::string bytes;
  };
  std::vector<Recorded> recorded;
  bool record = false;
  std::vector<std::string> faults;  // promises that were broken
  uint64_t datagrams = 0;
  size_t largest = 0;

 private:
  static constexpr int64_t kStartMs = 1000000;
  struct Due {
    int64_t when_ms;
    uint64_t order;
    std::function<void()> action;
    bool operator<(const Due& other) const {
      return when_ms != other.when_ms ? when_ms > other.when_ms : order > other.order;
    }
  };
  void Arrive(uint64_t from, uint64_t to, const std::string& datagram);
  bool FlushAll();
  int64_t NextWake();

  int64_t now_ms_ = kStartMs;
  uint64_t order_ = 0;
  std::priority_queue<Due> due_;
};

// A log line of about `size` bytes.
std::string MakeEvent(SeededRandom& random, size_t number, size_t size);

}  // namespace ospatrol::secure::v2::test
