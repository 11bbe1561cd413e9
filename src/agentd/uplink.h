// The way to the managers: which one is spoken to, over which socket and protocol, and how the
// spool empties into it.
//
// One server at a time is in use. When it does not answer, the next one is tried after a pause that
// grows; while a later one is in use, the first is tried from time to time on a second socket, and
// taken again when it answers. A server whose protocol is not known is greeted with version 1; when
// it then offers version 2, that is tried on a second socket, too, and taken when it works. Events
// stay in the spool all the while.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agentd/connection.h"
#include "agentd/server_list.h"
#include "daemon/event_loop.h"
#include "daemon/resolver.h"
#include "log/log.h"

namespace ospatrol::agentd {

class Uplink {
 public:
  // `context` outlives it. `resolver` may be null: then host names stay unknown.
  Uplink(ChannelContext& context, daemon::Resolver* resolver);
  ~Uplink();

  void Start();
  // Other servers or options: begins again. What is known of servers that stay is kept.
  void Restart();

  void EventsAdded(bool urgent);
  void FilesChanged();

  // The key of the server in use, empty when none answers.
  std::string ServerInUse() const;

  // Gives what is in the spool `limit_ms` to leave, and says good-bye.
  void Stop(int64_t limit_ms);

 private:
  enum class Protocol { kV1, kV2 };
  // What a connection is opened for.
  enum class Purpose {
    kUse,
    kReturn,   // to the first server, beside the one in use
    kUpgrade,  // to protocol 2 of the server in use
  };

  void BuildServers();
  Protocol FirstProtocol(const Server& server) const;
  void OpenCurrent(Protocol protocol);
  void Open(const std::string& key, Protocol protocol, Purpose purpose);
  void OpenAt(const std::string& key, Protocol protocol, Purpose purpose,
              const std::vector<std::string>& addresses);
  UdpSocket ConnectTo(const Server& server, const std::vector<std::string>& addresses);
  Connection::Events EventsFor(Purpose purpose);
  std::unique_ptr<Connection> Make(const Server& server, Protocol protocol, Purpose purpose,
                                   UdpSocket socket);
  void Failed(Purpose purpose);

  void CurrentAnswered();
  void CurrentSilent();
  void CurrentLost(const std::string& reason);
  void CurrentClosed();
  void BesideAnswered();
  void BesideFailed();
  void BeginUpgrade();
  void NextServer();
  void ScheduleReturn();
  void RememberCurrent();

  ChannelContext& context_;
  daemon::Resolver* resolver_;
  std::unique_ptr<ServerList> servers_;
  std::unique_ptr<Connection> current_, beside_;
  Purpose beside_purpose_ = Purpose::kReturn;
  Protocol protocol_ = Protocol::kV1;         // of current_
  Protocol beside_protocol_ = Protocol::kV1;  // of beside_
  daemon::EventLoop::Registration pause_, return_timer_;
  bool ever_answered_ = false;
  int64_t answered_ms_ = 0;  // when current_ answered last
  uint64_t generation_ = 0;  // rises when answers to earlier look-ups are not wanted any more
  // Tasks that wait for a look-up hold it weakly.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ospatrol::agentd
