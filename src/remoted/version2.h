// Protocol version 2 at the manager: sessions of agents, their events into the outlet and the
// answers of analysisd back to them (docs/protocol-v2.md). The protocol itself is secure/v2; here
// are its sockets, its clock and its neighbours.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "remoted/channel.h"
#include "secure/channel_state.h"
#include "secure/v2/manager_link.h"

namespace ospatrol::remoted {

// What an agent of version 2 has besides. Under its mutex.
struct SessionState {
  SessionState(secure::v2::Responder& responder, uint64_t owner, const secure::v2::Psk& psk)
      : link(responder, owner, psk) {}

  secure::v2::ManagerLink link;
  uint64_t hello_counter = 0;
  std::vector<secure::ChannelState::Spool> spools;  // those it has had, the last one first
  bool save_hello = false;
  bool save_spool = false;
  int64_t spool_noted_ms = 0;
  bool closed = false;                        // it said that it stops
  int64_t scheduled_ms = secure::v2::kNever;  // the earliest time at which a thread will look

  std::shared_ptr<const secure::v2::FileContent> sending;  // merged.mg on its way

  // Of its last STATUS.
  bool has_status = false;
  std::string uname;
  secure::v2::FileSum merged_sum{}, config_sum{};
  uint64_t spool_bytes = 0, dropped = 0;
  uint32_t round_trip_ms = 0;
};

inline secure::v2::Now ProtocolNow() {
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(monotonic).count(),
          base::WallNowMilliseconds()};
}

// Makes the agent's session state when it has none. REQUIRES: agent.mutex is held.
SessionState& EnsureSession(Agent& agent, const secure::AgentKey& key,
                            secure::v2::Responder& responder);

// Gives merged.mg to the agent's link; a newer one takes the place of one on its way. REQUIRES:
// agent->mutex is held, agent->session is there.
void SendMergedFile(Channel& channel, const AgentPtr& agent,
                    const std::shared_ptr<const secure::v2::FileContent>& content);

// Memory for what one datagram delivers, used again for the next.
struct Delivery {
  std::string text;          // the events as analysisd gets them, one behind the other
  std::vector<size_t> ends;  // in `text`
  std::vector<Outlet::Numbered> numbered;
};

// One per receiver thread.
class Version2 {
 public:
  Version2(Channel& channel, UdpWriter& writer, uint16_t thread)
      : channel_(channel), writer_(writer), thread_(thread) {}

  enum class Result { kHandled, kUnknown };  // as Version1
  Result Handle(const Packet& packet, const Registry& registry, const Policy& policy,
                secure::v2::Now now);
  void LogUnknown(const Packet& packet);

  // analysisd has answered for these.
  void Stored(const std::vector<Outlet::Taken>& taken, const Registry& registry,
              secure::v2::Now now);
  // Another thread has given the agent's link something to send.
  void Send(const AgentPtr& agent, const Registry& registry, secure::v2::Now now);
  // Says CLOSE, behind what is due anyway. `key`: that of the agent's session, which may be gone
  // from the present table. With kKeyRemoved the session ends here.
  void Close(const AgentPtr& agent, const secure::AgentKey& key, secure::v2::CloseReason reason,
             secure::v2::Now now);
  // To all agents that this thread heard last: the manager stops.
  void CloseAll(const Registry& registry, secure::v2::Now now);
  // Sends what is due. To be called at NextWake at the latest.
  void Tick(const Registry& registry, secure::v2::Now now);
  int64_t NextWake() const;

 private:
  struct Due {
    int64_t at_ms;
    std::weak_ptr<Agent> agent;
    bool operator>(const Due& other) const { return at_ms > other.at_ms; }
  };

  Result HandleHello(const Packet& packet, std::string_view id, const Registry& registry,
                     secure::v2::Now now);
  void HandleData(const Packet& packet, uint64_t owner, const Registry& registry,
                  secure::v2::Now now);
  void Log(secure::v2::Verdict verdict, const Packet& packet);
  // REQUIRES: agent->mutex is held.
  void Flush(const AgentPtr& agent, const secure::AgentKey& key, secure::v2::Now now);

  Channel& channel_;
  UdpWriter& writer_;
  const uint16_t thread_;
  secure::v2::Worker worker_;
  Delivery delivery_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<std::weak_ptr<Agent>> without_room_;  // were told that analysisd is busy
  std::array<uint8_t, UdpReader::kMaxPacket> out_{};
};

}  // namespace ospatrol::remoted
