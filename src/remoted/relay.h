// Requests to agents from analysisd and the tools: queue/alerts/ar (wire-protocol 4.6).
//
// Main thread. An agent without known address gets its requests as soon as it is heard, for up to a
// minute.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "remoted/channel.h"
#include "remoted/version1.h"

namespace ospatrol::remoted {

class Relay {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kKeep{60};
  static constexpr size_t kMostWaiting = 16;     // per agent
  static constexpr size_t kMostInAll = 100'000;  // requests that wait
  static constexpr size_t kAgentsPerTurn = 500;  // of a request to all

  // `nudge`: the agent's link of version 2 has something to send.
  Relay(Channel& channel, Version1Sender& sender, std::function<void(const AgentPtr&)> nudge)
      : channel_(channel), sender_(sender), nudge_(std::move(nudge)) {}

  void Take(std::string_view datagram, Clock::time_point now);
  // Serves the next agents of requests to all. True while some are left: call it again soon.
  bool Continue(Clock::time_point now);
  // The agent was heard.
  void AgentHeard(const AgentPtr& agent, Clock::time_point now);
  // Gives up what is too old. Every second or so.
  void Expire(Clock::time_point now);

 private:
  struct Request {
    std::string text;  // as behind "#!-"
    Clock::time_point until;
    bool named;  // for this agent, not for all: worth a line when it is not delivered
  };
  struct Waiting {
    AgentPtr agent;
    std::deque<Request> requests;
  };
  struct ToAll {
    std::string text;
    RegistryPtr agents;
    size_t next = 0;
    Clock::time_point until;
  };

  void SendOrKeep(const AgentPtr& agent, std::string_view name, const std::string& text,
                  Clock::time_point until, bool named);
  // False: it has no address now. REQUIRES: agent->mutex is held.
  bool TrySend(const AgentPtr& agent, std::string_view name, const std::string& text);

  Channel& channel_;
  Version1Sender& sender_;
  std::function<void(const AgentPtr&)> nudge_;
  std::deque<ToAll> to_all_;
  std::unordered_map<uint64_t, Waiting> waiting_;  // by agent serial
  size_t waiting_requests_ = 0;
};

}  // namespace ospatrol::remoted
