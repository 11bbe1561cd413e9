// Where local events come in: connections of queue/ospatrol/stream and the datagram queue
// (wire-protocol 6.1). What comes goes into the spool; frames are answered when it is there, also
// in the case that the machine crashes (in groups: a sync of the disk is dear).
//
// When the spool takes nothing, nothing is read: senders wait at their positions. What had been
// read by then is kept in memory (one frame a connection, one portion of datagrams) and stored
// first when the spool takes events again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "agentd/spool.h"
#include "daemon/event_loop.h"
#include "ipc/datagram.h"
#include "ipc/stream.h"
#include "log/log.h"
#include "product/paths.h"

namespace ospatrol::agentd {

class LocalIntake {
 public:
  struct Hooks {
    // New events are in the spool; `urgent`: integrity messages are among them.
    std::function<void(bool urgent)> stored;
    // The spool took nothing; the intake has paused itself.
    std::function<void(Spool::Outcome outcome)> refused;
  };

  // `loop` and `spool` outlive the intake.
  LocalIntake(daemon::EventLoop& loop, Spool& spool, Hooks hooks);
  ~LocalIntake();

  // Binds both sockets (mode 0660), the stream first: a sender that finds no stream would use the
  // queue, which acknowledges nothing. Throws Error.
  void Bind(const Home& home);

  // Stores what waits in memory, then reads again; pauses again when the spool still takes nothing.
  void Resume();
  bool paused() const { return paused_; }

  // Syncs the spool when frames wait for an answer, and answers them. Call it once a second and at
  // the end, so that datagrams get to the disk, too. False: the disk says no.
  bool SyncAndAnswer();

  // Takes what waits at the sockets now. For the end of the program.
  void Drain();

  uint64_t malformed() const { return malformed_; }
  size_t connections() const { return peers_.size(); }

 private:
  struct Peer {
    explicit Peer(base::Fd fd) : stream(std::move(fd)) {}
    ipc::StreamPeer stream;
    daemon::EventLoop::Registration readable;
    std::string waiting;  // bytes of a frame that the spool did not take
    uint64_t taken = 0, answered = 0;
  };
  using Peers = std::list<Peer>;

  void Pause(Spool::Outcome outcome);
  void WatchAll();
  void WatchListener();
  void Watch(Peers::iterator peer);
  void Accept();
  // False: the connection is to be closed.
  bool ReadPeer(Peer& peer);
  void TrimMemory();
  bool TakeFrame(Peer& peer, const ipc::Frame& frame, std::string& bytes);
  Spool::Outcome StoreGroup(const ipc::Group& group);
  bool ReadQueue();
  bool StoreWaiting();
  bool Admit(std::string_view event, const std::string& source);
  void AnswerSoon();
  void Answer();

  daemon::EventLoop& loop_;
  Spool& spool_;
  Hooks hooks_;
  bool paused_ = false;
  bool urgent_ = false;  // of what was stored and not told yet
  std::string queue_path_, stream_path_;

  std::optional<ipc::StreamListener> listener_;
  std::optional<ipc::DatagramReceiver> queue_;
  daemon::EventLoop::Registration listener_readable_, queue_readable_, accept_again_, answer_timer_;
  Peers peers_;
  std::vector<std::string> waiting_;  // datagrams that the spool did not take
  std::string buffer_;
  ipc::Frame frame_;
  std::vector<std::string_view> events_;
  size_t unsynced_ = 0;  // bytes of frames without answer
  uint64_t malformed_ = 0;

  log::Limited<msg::kDispatcherEvent> format_error_;
  log::Limited<msg::kLocalFrame> frame_error_;
  log::Limited<msg::kLocalRefused> refused_error_;
  log::Limited<msg::kLocalReadFailed> read_error_;
};

}  // namespace ospatrol::agentd
