// Plain syslog of hosts without an agent, over UDP and TCP (wire-protocol 3.4, 3.5), on a thread
// and an event loop of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "daemon/event_loop.h"
#include "pattern/ip_list.h"
#include "remoted/channel.h"
#include "remoted/syslog_framer.h"
#include "remoted/udp.h"
#include "remoted/version1.h"

namespace ospatrol::remoted {

// Who may send. Replaced as a whole by a reload.
struct SyslogAccess {
  pattern::IpList allowed, denied;

  bool Allows(std::string_view address) const {
    return !denied.MatchesConfiguration(address) && allowed.MatchesConfiguration(address);
  }
};

// A listening socket for TCP on `port`, both families, or one address. Throws Error 1206.
base::Fd BindTcp(const UdpBinding& binding);

class SyslogServer {
 public:
  struct Options {
    SyslogAccess access;
    size_t most_connections = 64;  // per listener; remoted.syslog_tcp_max_tasks
  };

  SyslogServer(Channel& channel, Options options);
  SyslogServer(const SyslogServer&) = delete;
  SyslogServer& operator=(const SyslogServer&) = delete;
  ~SyslogServer() { Stop(); }

  // Before Start.
  void AddUdp(UdpSocket socket, int port);
  void AddTcp(base::Fd socket, int port);

  void Start();
  // Takes what connections have sent already, then closes them.
  void Stop();

  void SetAccess(SyslogAccess access);  // thread-safe

 private:
  struct UdpListener {
    UdpListener(UdpSocket s, int p) : socket(std::move(s)), reader(socket), port(p) {}
    UdpSocket socket;
    UdpReader reader;
    int port;
    daemon::EventLoop::Registration readable;
  };
  struct Connection {
    base::Fd fd;
    std::string source;
    SyslogFramer framer;
    daemon::EventLoop::Registration readable;
  };
  struct TcpListener {
    base::Fd fd;
    int port = 0;
    std::list<Connection> connections;
    daemon::EventLoop::Registration readable, again;
  };

  void Run();
  bool MayReceive();
  void ReadDatagrams(UdpListener& listener);
  void Accept(TcpListener& listener);
  void Watch(TcpListener& listener, std::list<Connection>::iterator connection);
  // False: the connection ended.
  bool Read(Connection& connection);
  void Finish(Connection& connection);
  bool IsAllowed(const std::string& address);
  void Hand(std::string_view source, std::string_view message);
  void EndBatch();

  Channel& channel_;
  Options options_;
  std::mutex access_mutex_;                         // of options_.access and verdicts_
  std::unordered_map<std::string, bool> verdicts_;  // of addresses seen; a list is slow to search
  daemon::EventLoop loop_;
  std::list<UdpListener> udp_;
  std::list<TcpListener> tcp_;
  EventBatch batch_;
  std::thread thread_;
};

}  // namespace ospatrol::remoted
