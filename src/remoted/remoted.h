// The daemon: binds the sockets as root, then runs receivers, the syslog server and the outlet as
// threads, and does on its own thread what must not keep a packet waiting.
//
//   receivers (N)   packets of agents -> control messages answered, events -> outlet
//   syslog          plain syslog -> outlet
//   outlet          events -> analysisd; its answers -> receivers
//   main            keys, shared files, agent-info, requests to agents, state.db
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "config/internal_options.h"
#include "config/sections.h"
#include "daemon/daemon.h"
#include "ipc/datagram.h"
#include "remoted/agent_book.h"
#include "remoted/receiver.h"
#include "remoted/syslog_server.h"
#include "secure/keys_file.h"

namespace ospatrol::remoted {

class Remoted final : public daemon::Daemon {
 public:
  explicit Remoted(daemon::Context& context) : context_(context) {}
  ~Remoted() override;

  void Configure(config::Problems& problems) override;
  void Prepare() override;
  void Start() override;
  void Reload(config::Problems& problems) override;
  void Stop() override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Settings {
    config::RemoteSection remote;
    Policy policy;
    size_t receivers = 1;
    size_t receive_buffer = 0;  // bytes
    size_t queue_bytes = 0;
    size_t most_connections = 64;
    size_t most_agents = 0;
  };

  Settings Load(config::Problems& problems) const;
  void BindSecure(const config::RemoteListener& listener);
  void BindSyslog(const config::RemoteListener& listener);
  void TellBuffer(const UdpSocket& socket, int port, std::string_view what) const;

  void OpenState();
  void StartThreads();
  void StartTimers();
  void CheckKeys();
  bool LoadKeys();
  std::unordered_set<std::string> LoadV2Only();
  void CheckShared();
  void PushOn();
  void TakeRequests();
  void RelayOn();
  void RunTransfers();
  void Service();
  void EverySecond();
  void TellLosses();
  void ResetCounters();
  void WriteState();
  // Number of the receiver whose thread heard it last. REQUIRES: there are receivers.
  size_t ReceiverOf(const Agent& agent) const;
  void Nudge(const AgentPtr& agent);
  void Dismiss(const RegistryPtr& before, const AgentPtr& agent);
  void Distribute(std::vector<Outlet::Taken> taken);

  daemon::Context& context_;
  Settings settings_;
  base::Seconds started_ = 0;

  // Bound as root.
  std::vector<UdpSocket> secure_;
  int secure_port_ = 0;
  struct SyslogUdp {
    UdpSocket socket;
    int port;
  };
  struct SyslogTcp {
    base::Fd socket;
    int port;
  };
  std::vector<SyslogUdp> syslog_udp_;
  std::vector<SyslogTcp> syslog_tcp_;

  std::unique_ptr<secure::ChannelState> state_;
  std::unique_ptr<secure::SenderCounter> sender_counter_;
  std::unique_ptr<secure::ReceiveCounters> counters_;
  secure::v2::KernelRandom random_;
  std::unique_ptr<secure::v2::Responder> responder_;
  std::unique_ptr<Outlet> outlet_;
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<Version1Sender> sender_;
  std::unique_ptr<Transfers> transfers_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<SharedFiles> shared_;
  std::unique_ptr<AgentBook> book_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::unique_ptr<SyslogServer> syslog_;

  std::unique_ptr<secure::KeysFile> keys_file_;
  std::unique_ptr<secure::KeysWatch> keys_watch_, v2_only_watch_;
  Clock::time_point keys_not_before_{};
  std::unique_ptr<ipc::DatagramReceiver> requests_;
  uint64_t told_events_dropped_ = 0, told_kernel_dropped_ = 0, told_overload_ = 0;
  bool relay_posted_ = false;

  daemon::EventLoop::Registration requests_readable_;
  daemon::EventLoop::Registration keys_timer_, shared_timer_, transfer_timer_, second_timer_,
      counters_timer_, minute_timer_, state_timer_;
};

}  // namespace ospatrol::remoted
