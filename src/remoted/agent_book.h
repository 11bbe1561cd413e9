// What the main thread does about agents that were heard: their agent-info files, the shared files
// they lack, the requests that wait for them, and what must be known after a restart.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "remoted/agent_files.h"
#include "remoted/channel.h"
#include "remoted/relay.h"
#include "remoted/shared_files.h"
#include "remoted/transfers.h"
#include "secure/channel_state.h"

namespace ospatrol::remoted {

class AgentBook {
 public:
  using Clock = std::chrono::steady_clock;

  // `nudge`: the agent's link of version 2 has something to send.
  AgentBook(const Home& home, Channel& channel, secure::ChannelState& state, Transfers& transfers,
            Relay& relay, std::function<void(const AgentPtr&)> nudge);

  // Gives agents made from keys what was stored of them. Once, before the receivers run.
  void Restore(const Registry& registry);

  // The shared files are these now; agents that have others get them. The first call only sets it.
  void SetBundle(SharedBundlePtr bundle, Clock::time_point now);
  // Serves the next agents of SetBundle. True while some are left: call it again soon.
  bool ContinuePush(Clock::time_point now);

  // Everything that receivers have noted.
  void TakeNotes(Clock::time_point now);

  // Writes what changed to state.db. Once a second and at the end. False when it refused; it is
  // tried again.
  bool Save();
  void Forget(const Agent& agent);

 private:
  struct Facts;  // of one noted agent, copied under its lock

  Facts Collect(const AgentPtr& agent);
  void WriteInfo(const secure::AgentKey& key, const Facts& facts);
  void TakeKeepAlive(const AgentPtr& agent, const secure::AgentKey& key, const Facts& facts);
  void SendShared(const AgentPtr& agent, const Facts& facts, Clock::time_point now);
  std::vector<const secure::SharedFile*> FilesToSend(std::string_view text) const;

  AgentFiles files_;
  Channel& channel_;
  secure::ChannelState& state_;
  Transfers& transfers_;
  Relay& relay_;
  std::function<void(const AgentPtr&)> nudge_;
  SharedBundlePtr bundle_;

  RegistryPtr push_to_;  // those that still have to be looked at after SetBundle
  size_t push_next_ = 0;

  std::unordered_map<std::string, secure::ChannelState::Peer> peers_;  // to be saved, by id
  std::unordered_map<std::string, uint64_t> hellos_;
  std::unordered_map<std::string, secure::ChannelState::Spool> spools_;  // by id of the spool
  // Very old agents name single files: what they named, by serial.
  std::unordered_map<uint64_t, std::string> single_files_;
};

}  // namespace ospatrol::remoted
