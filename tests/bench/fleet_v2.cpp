// Agents that speak protocol version 2: the links of the real ones, over spools in memory.
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <queue>

#include "base/digest.h"
#include "fleet.h"
#include "secure/v2/agent_link.h"

namespace ospatrol::bench {
namespace {

namespace v2 = secure::v2;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

// Both clocks; they stand still while datagrams are prepared, so that those do not look lost when
// they leave.
class Clocks {
 public:
  v2::Now Read() const {
    const v2::Now now = Real();
    return {now.monotonic_ms - stood_ms_, now.wall_ms - stood_ms_};
  }
  // Forgets the time since `then`.
  void StoodSince(v2::Now then) { stood_ms_ += Read().monotonic_ms - then.monotonic_ms; }

 private:
  static v2::Now Real() {
    return {
        duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(),
        duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }

  int64_t stood_ms_ = 0;
};

// Events first() ... next() - 1 of an agent: lines of the log, from a place of its own on.
class Spool final : public v2::EventSource {
 public:
  Spool(const Lines& lines, uint64_t offset, v2::RandomSource& random)
      : lines_(lines), offset_(offset) {
    random.Fill(id_);
  }

  void Add(uint64_t events) { next_ += events; }

  v2::SpoolId id() const override { return id_; }
  uint64_t first() const override { return first_; }
  uint64_t next() const override { return next_; }
  std::optional<std::string_view> Event(uint64_t number) override {
    return lines_.message(offset_ + number);
  }
  void Acknowledged(uint64_t number) override { first_ = number + 1; }
  void SetBack() override { set_back_ = true; }

  bool was_set_back() const { return set_back_; }

 private:
  const Lines& lines_;
  uint64_t offset_;
  v2::SpoolId id_{};
  uint64_t first_ = 1, next_ = 1;
  bool set_back_ = false;
};

class Peer final : public v2::AgentPeer {
 public:
  explicit Peer(const v2::FileSum& merged) : merged_(merged) {}

  std::optional<uint64_t> NextHelloCounter(uint64_t at_least) override {
    hello_ = std::max(hello_ + 1, at_least);
    ++hellos;
    return hello_;
  }
  void Established(const Session& /*session*/) override { established = true; }
  void Unreachable() override {}
  void ClosedByManager(uint16_t /*reason*/, std::string_view /*text*/) override {}
  Answer Control(std::string_view /*text*/) override { return {}; }
  void ControlDone(uint64_t /*number*/) override {}
  bool FileBegins(std::string_view /*name*/, uint64_t /*size*/) override { return true; }
  bool FileBytes(std::string_view /*name*/, v2::Bytes /*bytes*/) override { return true; }
  FileVerdict FileComplete(std::string_view /*name*/) override { return {}; }
  void FileAborted(std::string_view /*name*/) override {}
  v2::StatusFrame Status() override {
    v2::StatusFrame status;
    status.merged_sum = merged_;
    status.uname = "Linux bench 6.1.0 #1 SMP x86_64 - OSPatrol v0.1.0";
    return status;
  }

  bool established = false;
  uint64_t hellos = 0;

 private:
  const v2::FileSum& merged_;
  uint64_t hello_ = 0;
};

class V2Fleet final : public Fleet {
 public:
  V2Fleet(std::vector<secure::AgentKey> keys, const Lines& lines, uint16_t port, size_t datagram,
          std::string_view merged)
      : Fleet(std::move(keys), lines, port), datagram_(static_cast<uint16_t>(datagram)) {
    if (!merged.empty()) {
      const std::string sum = base::Sha256Hex(merged);
      for (size_t i = 0; i < merged_.size(); ++i) {
        merged_[i] = static_cast<uint8_t>(std::stoi(sum.substr(2 * i, 2), nullptr, 16));
      }
    }
    for (size_t i = 0; i < size(); ++i) {
      agents_.push_back(std::make_unique<Agent>(lines_, i * kApart, random_, merged_));
    }
  }

  Connected Connect(size_t agents, size_t at_once, double patience) override {
    Connected result;
    const double begin = MonotonicSeconds();
    size_t next = 0;
    done_ = 0;
    uint64_t hellos = 0;
    for (size_t i = 0; i < agents; ++i) {
      agents_[i]->link.reset();
      agents_[i]->peer.established = false;
      hellos += agents_[i]->peer.hellos;
    }
    while (done_ < agents && MonotonicSeconds() - begin < patience) {
      while (next < agents && next - done_ < at_once) Begin(next++);
      Pump(kPumpedMeanwhile);
      Work(1);
    }
    result.seconds = MonotonicSeconds() - begin;
    result.unanswered = agents - done_;
    uint64_t said = 0;
    for (size_t i = 0; i < agents; ++i) said += agents_[i]->peer.hellos;
    result.repeated = said - hellos - next;
    return result;
  }

  void KeepAlive(size_t agent) override {
    agents_[agent]->link->StatusChanged();
    Drain(agent, clocks_.Read());
  }

  void SendEvent(size_t agent) override {
    const v2::Now now = clocks_.Read();
    agents_[agent]->spool.Add(1);
    agents_[agent]->link->EventsAdded(now, false);
    Drain(agent, now);
  }

  // The first window of each agent; what does not fit into it is made while it runs.
  void Prepare(size_t first, size_t end, uint64_t events) override {
    ClearPrepared();
    const v2::Now now = clocks_.Read();
    const uint64_t agents = end - first;
    for (size_t i = first; i < end; ++i) {
      Agent& agent = *agents_[i];
      agent.spool.Add(events / agents + (i - first < events % agents ? 1 : 0));
      agent.link->EventsAdded(now, false);
      while (const size_t size = agent.link->NextDatagram(now, out_)) {
        AddPrepared(i, v2::AsText(v2::Bytes(out_).first(size)));
      }
      Schedule(i, now);
    }
    clocks_.StoodSince(now);
  }

  void Work(int wait_ms) override {
    sockets_.Flush();
    size_t socket = 0;
    std::string_view datagram;
    v2::Now now = clocks_.Read();
    while (sockets_.Receive(wait_ms, socket, datagram)) {
      if (wait_ms != 0) now = clocks_.Read();
      wait_ms = 0;
      Take(socket, datagram, now);
    }
    now = clocks_.Read();
    while (!due_.empty() && due_.top().first <= now.monotonic_ms) {
      const auto [at, agent] = due_.top();
      due_.pop();
      if (agents_[agent]->scheduled_ms != at || !agents_[agent]->link) continue;
      agents_[agent]->scheduled_ms = v2::kNever;
      Drain(agent, now);
    }
    sockets_.Flush();
  }

 private:
  static constexpr uint64_t kApart = 7919;
  struct Agent {
    Agent(const Lines& lines, uint64_t offset, v2::RandomSource& random, const v2::FileSum& merged)
        : spool(lines, offset, random), peer(merged) {}
    Spool spool;
    Peer peer;
    std::unique_ptr<v2::AgentLink> link;
    int64_t scheduled_ms = v2::kNever;
    uint64_t acknowledged = 0;
  };

  void Begin(size_t index) {
    Agent& agent = *agents_[index];
    v2::AgentLink::Config config;
    config.agent_id = keys_[index].id;
    config.name = keys_[index].name;
    config.key = keys_[index].key;
    config.product = "OSPatrol v0.1.0";
    config.max_datagram = datagram_;
    agent.link = std::make_unique<v2::AgentLink>(config, agent.spool, agent.peer, random_);
    const v2::Now now = clocks_.Read();
    agent.link->Start(now);
    Drain(index, now);
  }

  void Drain(size_t index, v2::Now now) {
    Agent& agent = *agents_[index];
    while (const size_t size = agent.link->NextDatagram(now, out_)) {
      sockets_.Queue(index, v2::AsText(v2::Bytes(out_).first(size)));
    }
    Schedule(index, now);
  }

  void Schedule(size_t index, v2::Now now) {
    Agent& agent = *agents_[index];
    const int64_t wake = agent.link->NextWake(now);
    if (wake == v2::kNever || wake == agent.scheduled_ms) return;
    agent.scheduled_ms = wake;
    due_.emplace(wake, index);
  }

  void Take(size_t index, std::string_view datagram, v2::Now now) {
    Agent& agent = *agents_[index];
    if (!agent.link) return;
    const bool was = agent.peer.established;
    const v2::Verdict verdict = agent.link->Receive(now, v2::AsBytes(datagram));
    if (verdict == v2::Verdict::kForged || verdict == v2::Verdict::kMalformed) ++refused_;
    if (agent.peer.established && !was) ++done_;
    // Every authentic datagram tells the agent that its manager is there.
    if (verdict == v2::Verdict::kTaken) ++answers_;
    const uint64_t stored = agent.spool.first() - 1;
    acknowledged_ += stored - agent.acknowledged;
    agent.acknowledged = stored;
    Drain(index, now);
  }

  v2::KernelRandom random_;
  Clocks clocks_;
  v2::FileSum merged_{};
  uint16_t datagram_;
  std::vector<std::unique_ptr<Agent>> agents_;
  using Due = std::pair<int64_t, size_t>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::array<uint8_t, v2::kMaxDatagram> out_{};
  size_t done_ = 0;
};

}  // namespace

std::unique_ptr<Fleet> MakeV2Fleet(std::vector<secure::AgentKey> keys, const Lines& lines,
                                   uint16_t port, size_t datagram, std::string_view merged) {
  return std::make_unique<V2Fleet>(std::move(keys), lines, port, datagram, merged);
}

}  // namespace ospatrol::bench
