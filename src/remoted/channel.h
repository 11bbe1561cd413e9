// What the receiver threads and the main thread share: the table of agents, where events go, what
// may be accepted, and the notes from one side to the other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "remoted/agent.h"
#include "remoted/fault_log.h"
#include "remoted/outlet.h"
#include "secure/v2/responder.h"

namespace ospatrol::remoted {

// What crypto_accept and the internal options allow. Replaced as a whole by a reload.
struct Policy {
  bool aes = true;
  bool blowfish = true;
  bool v2 = true;
  bool verify_counters = true;  // remoted.verify_msg_id

  std::string_view Name() const;  // for the log: "v2 only"
};

struct ChannelCounters {
  std::atomic<uint64_t> packets{0};
  std::atomic<uint64_t> events{0};            // handed to the outlet
  std::atomic<uint64_t> events_dropped{0};    // the outlet was full
  std::atomic<uint64_t> kernel_dropped{0};    // the receive buffer was full
  std::atomic<uint64_t> overload_dropped{0};  // over an agent's share
  std::atomic<uint64_t> refused{0};           // not authentic, not known, not allowed
};

class Channel {
 public:
  Channel(Outlet& events, secure::SenderCounter& counter, secure::ReceiveCounters& windows,
          secure::v2::Responder& sessions, std::function<void()> wake_main)
      : outlet(events),
        sender(counter),
        received(windows),
        responder(sessions),
        wake_main_(std::move(wake_main)) {}

  RegistryHolder registry;
  Outlet& outlet;
  secure::SenderCounter& sender;
  secure::ReceiveCounters& received;
  secure::v2::Responder& responder;
  FaultLog faults;
  ChannelCounters counters;

  Policy policy() const;
  void SetPolicy(const Policy& policy);

  // An authentic packet came on `route`. REQUIRES: agent->mutex is held.
  void Heard(const AgentPtr& agent, const Route& route, base::Seconds now);
  // The main thread is to look at the agent: pending_text, reports, requests that wait.
  // REQUIRES: agent->mutex is held.
  void Note(const AgentPtr& agent);

  // For the main thread: the agents that were noted since the last call.
  std::vector<AgentPtr> TakeNotes();

 private:
  mutable std::mutex policy_mutex_;
  Policy policy_;
  std::function<void()> wake_main_;  // thread-safe
  std::mutex notes_mutex_;
  std::vector<AgentPtr> notes_;
};

}  // namespace ospatrol::remoted
