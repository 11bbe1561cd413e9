// Agents that speak protocol version 1.
#include <deque>

#include "base/digest.h"
#include "fleet.h"
#include "secure/control_message.h"
#include "secure/sealed_message.h"

namespace ospatrol::bench {
namespace {

constexpr double kSayAgain = 3;        // seconds without an answer
constexpr size_t kPacketsInTurn = 16;  // of one agent, before the next one's
constexpr std::string_view kUname = "Linux bench 6.1.0 #1 SMP x86_64 - OSPatrol v0.1.0";

class LegacyFleet final : public Fleet {
 public:
  LegacyFleet(std::vector<secure::AgentKey> keys, const Lines& lines, uint16_t port,
              secure::Cipher cipher, std::string_view merged)
      : Fleet(std::move(keys), lines, port), cipher_(cipher) {
    if (!merged.empty()) merged_md5_ = base::Md5Hex(merged);
    agents_.resize(size());
    for (size_t i = 0; i < size(); ++i) {
      agents_[i].keys = secure::DeriveKeys(keys_[i]);
      agents_[i].next_event = i * kApart;
    }
  }

  Connected Connect(size_t agents, size_t at_once, double patience) override {
    Connected result;
    const double begin = MonotonicSeconds();
    std::deque<size_t> asked;  // in the order of asked_at; those that are done may be among them
    size_t next = 0;
    done_ = 0;
    for (size_t i = 0; i < agents; ++i) agents_[i].step = Step::kStart;
    while (done_ < agents && MonotonicSeconds() - begin < patience) {
      const double now = MonotonicSeconds();
      while (next < agents && next - done_ < at_once) {
        Ask(next, now);
        asked.push_back(next++);
      }
      while (!asked.empty() && now - agents_[asked.front()].asked_at >= kSayAgain) {
        const size_t agent = asked.front();
        asked.pop_front();
        if (agents_[agent].step == Step::kDone) continue;
        Ask(agent, now);
        asked.push_back(agent);
        ++result.repeated;
      }
      Pump(kPumpedMeanwhile);
      Work(1);
    }
    result.seconds = MonotonicSeconds() - begin;
    result.unanswered = agents - done_;
    for (size_t i = 0; i < agents; ++i) agents_[i].step = Step::kDone;
    return result;
  }

  void KeepAlive(size_t agent) override { Say(agent, KeepAliveText()); }
  void SendEvent(size_t agent) override { Say(agent, NextEvent(agent)); }

  void Prepare(size_t first, size_t end, uint64_t events) override {
    ClearPrepared();
    for (size_t agent = first; events > 0; agent = agent + 1 < end ? agent + 1 : first) {
      for (size_t i = 0; i < kPacketsInTurn && events > 0; ++i, --events) {
        AddPrepared(agent, Seal(agent, NextEvent(agent)));
      }
    }
  }

  void Work(int wait_ms) override {
    sockets_.Flush();
    size_t agent = 0;
    std::string_view datagram;
    while (sockets_.Receive(wait_ms, agent, datagram)) {
      wait_ms = 0;
      Take(agent, datagram);
    }
    sockets_.Flush();
  }

 private:
  static constexpr uint64_t kApart = 7919;  // so that agents do not all send the same lines
  enum class Step : uint8_t { kStart, kKeepAlive, kDone };
  struct Agent {
    secure::DerivedKeys keys;
    secure::Counter counter;
    uint64_t next_event = 0;
    double asked_at = 0;
    Step step = Step::kDone;
  };

  std::string KeepAliveText() const {
    const std::string filler = secure::RandomFiller();
    return secure::FormatKeepAlive({.uname = kUname, .merged_md5 = merged_md5_, .filler = filler});
  }
  std::string_view NextEvent(size_t agent) { return lines_.message(agents_[agent].next_event++); }

  std::string_view Seal(size_t agent, std::string_view message) {
    Agent& a = agents_[agent];
    a.counter = a.counter.Next();
    return secure::Seal(engine_, a.keys, cipher_, keys_[agent].id, a.counter, message).datagram;
  }
  void Say(size_t agent, std::string_view message) { sockets_.Queue(agent, Seal(agent, message)); }

  void Ask(size_t agent, double now) {
    agents_[agent].asked_at = now;
    if (agents_[agent].step == Step::kStart) {
      Say(agent, secure::kStartupMessage);
    } else {
      Say(agent, KeepAliveText());
    }
  }

  void Take(size_t agent, std::string_view datagram) {
    const secure::PacketPrefix prefix = secure::ParsePrefix(datagram);
    if (prefix.state != secure::PacketPrefix::State::kOk) {
      ++refused_;
      return;
    }
    const secure::Opened opened =
        secure::Open(engine_, agents_[agent].keys, prefix.cipher, prefix.sealed);
    if (!opened) {
      ++refused_;
      return;
    }
    if (secure::ParseFromManager(opened.message).kind !=
        secure::ManagerMessage::Kind::kAcknowledgement) {
      return;
    }
    ++answers_;
    Agent& a = agents_[agent];
    if (a.step == Step::kStart) {
      a.step = Step::kKeepAlive;
      Ask(agent, a.asked_at);
    } else if (a.step == Step::kKeepAlive) {
      a.step = Step::kDone;
      ++done_;
    }
  }

  secure::CipherEngine engine_;
  secure::Cipher cipher_;
  std::string merged_md5_;
  std::vector<Agent> agents_;
  size_t done_ = 0;
};

}  // namespace

std::unique_ptr<Fleet> MakeLegacyFleet(std::vector<secure::AgentKey> keys, const Lines& lines,
                                       uint16_t port, secure::Cipher cipher,
                                       std::string_view merged) {
  return std::make_unique<LegacyFleet>(std::move(keys), lines, port, cipher, merged);
}

}  // namespace ospatrol::bench
