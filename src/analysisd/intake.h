// Where events come in: connections of queue/ospatrol/stream and the datagram queue
// (wire-protocol 6.1).
//
// Each turn of the loop takes bounded portions from one source, so that no sender starves another.
// The events of a portion are given to the owner one by one and stay in memory until the portion
// ends. Frames are answered by AnswerTaken(), after the owner has made durable what they caused;
// until then their senders keep them. A paused intake reads nothing: senders wait, which is the
// only flow control.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "analysisd/state_store.h"
#include "daemon/event_loop.h"
#include "ipc/datagram.h"
#include "ipc/queue_message.h"
#include "ipc/stream.h"
#include "log/log.h"
#include "product/paths.h"

namespace ospatrol::analysisd {

struct IntakeCounters {
  uint64_t received = 0;  // events, malformed ones included
  uint64_t malformed = 0;
  uint64_t cut = 0;
  uint64_t stream_events = 0;  // in frames, those sent again included
  uint64_t repeated = 0;       // sent again and already taken
  uint64_t frames = 0;
  uint64_t bad_frames = 0;
};

class Intake {
 public:
  struct Hooks {
    std::function<bool()> before_portion;  // false: take nothing now (and Pause() was called)
    // An event of the portion. Its views are valid until after_portion has returned.
    std::function<void(const ipc::QueueMessage& message)> event;
    std::function<void()> after_portion;
  };

  // `senders` and `loop` must outlive the intake.
  Intake(daemon::EventLoop& loop, StateStore& senders, Hooks hooks);
  ~Intake();

  // Binds both sockets (mode 0660), the stream first: a sender that finds no stream would use the
  // queue, which acknowledges nothing. Throws Error.
  void Bind(const Home& home);

  void Pause();
  void Resume();
  bool paused() const { return paused_; }

  // Answers the frames that were taken since the last call. REQUIRES: what they caused is durable.
  void AnswerTaken();

  // Takes what waits at both sockets, but no longer than `limit`. For the end of the program: no
  // new connections.
  void Drain(std::chrono::milliseconds limit);

  const IntakeCounters& counters() const { return counters_; }
  size_t connections() const { return peers_.size(); }

 private:
  struct Peer {
    explicit Peer(base::Fd fd) : stream(std::move(fd)) {}
    ipc::StreamPeer stream;
    daemon::EventLoop::Registration readable;
    uint64_t taken = 0;  // highest frame number taken
    uint64_t answered = 0;
    uid_t uid = 0;                               // of the sender
    std::chrono::steady_clock::time_point used;  // last frame, or the connect
  };
  using Peers = std::list<Peer>;

  void WatchListener();
  void Accept();
  // The table is full: closes the connection that was idle longest of the uid that has most of
  // them. So nobody keeps others out by holding connections. False: all are in use.
  bool CloseIdlePeer();
  void Watch(Peers::iterator peer);
  // One portion of a source, hooks included. Gives the number of frames or datagrams that were
  // taken; 0: none waits, or nothing may be taken now. `open` becomes false when the connection is
  // gone.
  size_t TakeFrames(Peer& peer, bool& open);
  size_t TakeDatagrams();
  void TakeFrame(const ipc::Frame& frame);
  void Take(std::string_view bytes, std::string_view source);
  void OnStreamReadable(Peers::iterator peer);
  void OnQueueReadable();

  daemon::EventLoop& loop_;
  StateStore& senders_;
  Hooks hooks_;
  bool paused_ = false;
  std::string queue_path_, stream_path_;

  std::optional<ipc::StreamListener> listener_;
  std::optional<ipc::DatagramReceiver> queue_;
  daemon::EventLoop::Registration listener_readable_, queue_readable_, accept_again_;
  Peers peers_;

  struct Packet {
    std::string bytes;
    ipc::Frame frame;
  };
  std::array<Packet, ipc::StreamSender::kMaxUnanswered> packets_;  // of one portion
  std::string reason_;
  IntakeCounters counters_;

  log::Limited<msg::kMessageFormat> format_error_;
  log::Limited<msg::kMessageTooShort> short_error_;
  log::Limited<msg::kMessageCut> cut_warning_;
  log::Limited<msg::kBadFrame> frame_error_;
  log::Limited<msg::kConnectionRefused> refused_error_;
  log::Limited<msg::kIdleConnections> idle_warning_;
  log::Limited<msg::kQueueReadFailed> read_error_;
};

}  // namespace ospatrol::analysisd
