// Packets of protocol version 1 at the manager (wire-protocol 2.6, 4.2, 5.2): opened, checked,
// control messages answered at once, events collected for the outlet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "remoted/channel.h"
#include "secure/sealed_message.h"

namespace ospatrol::remoted {

// Seals messages for agents and puts them on their way. One per thread.
class Version1Sender {
 public:
  Version1Sender(const UdpSocket& socket, secure::SenderCounter& counter)
      : counter_(counter), writer_(socket) {}

  enum class Result { kSent, kTooLarge, kNoCipher };
  // In the cipher of the agent's last packet, to where it was heard last. REQUIRES: agent.mutex is
  // held, agent.IsHeard(). Invalidates what was opened with engine().
  Result Send(const Agent& agent, std::string_view message) {
    return SendTo(agent, agent.route, agent.cipher, message);
  }
  Result SendTo(const Agent& agent, const Route& route, secure::Cipher cipher,
                std::string_view message);
  void Flush() { writer_.Flush(); }

  secure::CipherEngine& engine() { return engine_; }
  UdpWriter& writer() { return writer_; }

 private:
  secure::SenderCounter& counter_;
  secure::CipherEngine engine_;
  UdpWriter writer_;
};

// Events that go to the outlet together.
class EventBatch {
 public:
  std::string& text() { return text_; }
  // What was appended to text() since the last call is one event.
  void EndEvent() { ends_.push_back(text_.size()); }
  bool empty() const { return ends_.empty(); }
  // Gives the number of events that the outlet did not take.
  size_t OfferTo(Outlet& outlet);

 private:
  std::string text_;
  std::vector<size_t> ends_;
  std::vector<std::string_view> views_;
};

// One per receiver thread.
class Version1 {
 public:
  Version1(Channel& channel, Version1Sender& sender) : channel_(channel), sender_(sender) {}

  // kUnknown: no agent has this id or address; nothing was logged. The keys may be about to change.
  enum class Result { kHandled, kUnknown };
  Result Handle(const Packet& packet, const Registry& registry, const Policy& policy,
                base::Seconds now);
  // The line for what stayed unknown.
  void LogUnknown(const Packet& packet);
  // Hands over the events of the packets since the last call.
  void EndBatch();

 private:
  bool IsAllowed(const secure::PacketPrefix& prefix, const Packet& packet, std::string_view id,
                 const Registry& registry, const Policy& policy);
  void LogFault(secure::OpenFault fault, const Packet& packet, const secure::AgentKey& key);
  // The packet is authentic, and its counter is old: a replay, or an agent that lost its counters.
  // True when it proves that it is the agent, speaking now. REQUIRES: the agent is locked.
  bool HandleOld(Agent& agent, const Packet& packet, secure::Cipher cipher, secure::Counter counter,
                 std::string_view message, base::Seconds now);
  void Challenge(Agent& agent, const Route& route, secure::Cipher cipher);
  void HandleControl(Registry::Entry entry, std::string_view message, const Policy& policy,
                     base::Seconds now);
  void HandleKeepAlive(const AgentPtr& agent, base::Seconds now);
  void HandleEvent(Registry::Entry entry, std::string_view message);

  Channel& channel_;
  Version1Sender& sender_;
  EventBatch batch_;
  std::string control_;  // copy of the control message in hand: sealing the answer reuses its place
};

}  // namespace ospatrol::remoted
