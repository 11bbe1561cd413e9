// The way out: frames on queue/ospatrol/stream, acknowledged; where that socket does not exist,
// datagrams on queue/ospatrol/queue (wire-protocol 6.1).
//
// Runs no loop: the owner watches fd(), calls Pump when it is ready (writable: only when
// WantsWrite), and Connect from a timer while there is no connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipc/datagram.h"
#include "ipc/frame.h"
#include "ipc/stream.h"
#include "log/log.h"
#include "logcollector/sink.h"

namespace ospatrol::logcollector {

class Outlet final : public Sink {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Mode { kNone, kStream, kDatagram };

  // A receiver that has just been started binds one socket after the other: so long must `queue`
  // have been there without `stream` before it is used.
  static constexpr std::chrono::seconds kStreamGrace{3};

  struct Sockets {
    std::filesystem::path stream, queue, wait_lock;
  };
  explicit Outlet(Sockets sockets);

  Mode mode() const { return mode_; }
  // True while agentd's wait lock keeps the datagram queue closed, as of the last look at it.
  bool locked() const { return mode_ == Mode::kDatagram && locked_; }
  int fd() const;
  bool WantsWrite() const { return mode_ == Mode::kStream && stream_->WantsWrite(); }
  size_t unanswered() const { return in_flight_.size(); }  // frames

  // Events since the start: sent = taken + in_flight. What a receiver without answers was handed
  // counts as taken.
  struct Events {
    uint64_t sent = 0, taken = 0;
    uint64_t in_flight() const { return sent - taken; }
  };
  const Events& events() const { return events_; }

  // True when connected now (and was not, or only to the datagram queue, before).
  bool Connect(Clock::time_point now);

  bool Offer(const std::shared_ptr<Producer>& from, const ipc::SenderId& sender,
             const Position& after, std::string_view message) override;
  // Ends the present frame: what was offered goes out now.
  void Flush();
  // Sends and receives; tells producers what is taken. False: the connection is gone.
  bool Pump();

  // Nothing offered is without answer.
  bool IsEmpty() const { return in_flight_.empty() && builder_.empty(); }

 private:
  struct Note {
    std::shared_ptr<Producer> from;
    Position after;
  };
  using Notes = std::vector<Note>;
  struct InFlight {
    uint64_t token = 0;
    size_t events = 0;
    Notes notes;
  };

  bool ConnectStream();
  bool ConnectDatagram();
  bool Submit();
  bool SendDatagram(const Note& note, std::string_view message);
  bool IsLocked(Clock::time_point now);
  void RewindAll();
  void Lost(const std::string& reason);

  Sockets sockets_;
  Mode mode_ = Mode::kNone;
  std::unique_ptr<ipc::StreamSender> stream_;
  ipc::DatagramSender datagram_;
  ipc::FrameBuilder builder_;
  Notes notes_;  // of the frame being built: each producer's last position
  std::deque<InFlight> in_flight_;
  uint64_t next_token_ = 1;
  Events events_;

  std::optional<Clock::time_point> queue_alone_since_;
  Clock::time_point lock_checked_{};
  bool locked_ = false;
  std::optional<Clock::time_point> lost_logged_;
};

}  // namespace ospatrol::logcollector
