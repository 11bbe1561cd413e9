// One server over one UDP socket, whatever the protocol: what version 1 and 2 have in common.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agentd/manager_orders.h"
#include "agentd/shared_files.h"
#include "agentd/spool.h"
#include "agentd/udp_socket.h"
#include "config/sections.h"
#include "daemon/event_loop.h"
#include "secure/channel_state.h"
#include "secure/cipher.h"
#include "secure/counters.h"
#include "secure/keys.h"

namespace ospatrol::agentd {

// What connections work with; one for the life of the daemon.
struct ChannelContext {
  daemon::EventLoop& loop;
  Spool& spool;
  SharedFiles& files;
  ManagerOrders& orders;
  secure::ChannelState& state;
  secure::SenderCounter& counter;
  secure::ReceiveCounters& received;
  secure::CipherEngine& engine;
  secure::AgentKey key;
  secure::DerivedKeys keys;
  config::ClientSection client;
  int64_t return_every_ms = 0;           // agent.return_time
  bool verify_counters = true;           // remoted.verify_msg_id
  std::string description;               // config::HostDescription()
  std::filesystem::path controls;        // what was acted on (v2_connection.h)
  uint64_t hello_counter = 0;            // the last one given
  std::function<void()> first_answered;  // once: a manager has answered since the start
  std::function<void()> answered;        // a manager answers, for the first time or again
  std::function<void()> active;          // something came from a manager, or was acknowledged
  std::function<uint64_t()> dropped;     // events lost since the start
};

int64_t MonotonicMs();

class Connection {
 public:
  // What is told to the uplink, later on the loop, so that it may destroy the connection.
  struct Events {
    std::function<void()> answered;
    std::function<void()> round_failed;  // it does not answer at all
    std::function<void(std::string reason)> lost;
    std::function<void()> offered_v2;
    std::function<void()> closed;  // it says that it stops, or does not know this agent any more
  };

  Connection(ChannelContext& context, std::string server, UdpSocket socket, Events events);
  virtual ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Another use of a connection that was opened beside the one in use.
  void SetEvents(Events events) { events_ = std::move(events); }

  const std::string& server() const { return server_; }  // its key: "name:port"
  bool answered() const { return answered_; }

  // What protocol 2 has learnt of the manager.
  struct Facts {
    bool stay = false;
    std::string manager_id;
  };
  virtual Facts facts() const { return {}; }

  virtual void Start() = 0;
  virtual void EventsAdded(bool urgent) = 0;
  virtual void FilesChanged() = 0;
  // No events for now: another connection to this server may take over.
  virtual void Hold(bool /*on*/) {}
  // Says good-bye, and sends what is in the spool for up to `limit_ms`. Runs no loop.
  virtual void Finish(int64_t limit_ms) = 0;

 protected:
  ChannelContext& context() const { return context_; }
  UdpSocket& socket() { return socket_; }

  // One datagram of the manager. False: not authentic.
  virtual bool Datagram(std::string_view bytes) = 0;
  virtual void OnRefused() = 0;
  virtual void OnWake() = 0;

  void Watch();
  // OnWake at `at_ms`; replaces an earlier time.
  void WakeAt(int64_t at_ms);
  // Reads what has arrived.
  void ReadSocket();

  void TellAnswered();
  void TellRoundFailed();
  void TellLost(std::string reason);
  void TellOfferedV2();
  void TellClosed();

 private:
  void Tell(std::function<void()> task);
  bool Brake(int64_t now_ms);

  ChannelContext& context_;
  std::string server_;
  UdpSocket socket_;
  Events events_;
  bool answered_ = false;
  daemon::EventLoop::Registration readable_, wake_, again_;
  int64_t wake_at_ms_ = 0;
  int64_t second_began_ms_ = 0;
  int refused_in_second_ = 0;  // datagrams that were not authentic
  // Tasks posted to the loop hold it weakly.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ospatrol::agentd
