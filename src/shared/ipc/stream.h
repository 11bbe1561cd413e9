// Both ends of queue/ospatrol/stream: SOCK_SEQPACKET, frames in, cumulative answers out (wire-protocol 6.1).
// Neither end runs a loop: give the descriptors to the event loop of shared/daemon and call back.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "ipc/frame.h"

namespace ospatrol::ipc {

// The listening socket of the receiver.
class StreamListener {
 public:
  // Unlinks an old socket, binds, sets `mode`, listens. Non-blocking. Throws Error with path and reason.
  StreamListener(const std::filesystem::path& path, mode_t mode);

  int fd() const { return fd_.get(); }
  // A new connection, non-blocking; closed (not IsOpen) when none waits.
  base::Fd Accept();

 private:
  base::Fd fd_;
};

// One accepted connection at the receiver.
class StreamPeer {
 public:
  enum class Status { kFrame, kEmpty, kClosed, kBad };

  explicit StreamPeer(base::Fd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  // Next frame. `buffer` holds the bytes that `frame` looks into. kBad: malformed or out of sequence, `reason` says how;
  // close the connection and log one line.
  Status Receive(std::string& buffer, Frame& frame, std::string& reason);

  // Tells the sender that all frames up to `frame_number` are taken. False: the peer is gone.
  bool Answer(uint64_t frame_number);

  // Ends the connection: the next Receive says kClosed.
  void HangUp();

 private:
  base::Fd fd_;
  uint64_t expected_ = 1;
};

// The sender's end. Keeps unanswered frames and sends them again after a reconnect.
class StreamSender {
 public:
  static constexpr size_t kMaxUnanswered = 8;

  explicit StreamSender(std::filesystem::path path) : path_(std::move(path)) {}

  bool Connect();  // non-blocking; true when connected; after a reconnect unanswered frames are queued to be sent again
  bool IsConnected() const { return fd_.IsOpen(); }
  int fd() const { return fd_.get(); }

  bool CanAccept() const { return unanswered_.size() < kMaxUnanswered; }
  size_t unanswered() const { return unanswered_.size(); }

  // Takes over the events of `builder` (cleared) with a token of the caller's. REQUIRES: CanAccept().
  void Submit(FrameBuilder& builder, uint64_t token);

  // Writes what the socket takes, reads answers. `taken` receives the tokens of frames that were answered, in order.
  // False: the connection is gone; Connect again later.
  bool Pump(std::deque<uint64_t>& taken);

  // True while there is something to write: watch the descriptor for writability too.
  bool WantsWrite() const { return next_unsent_ < unanswered_.size(); }

 private:
  struct Pending {
    std::string bytes;  // the frame; its number is patched at each connection
    uint64_t token = 0;
    uint64_t number = 0;  // on the present connection
  };
  bool ReadAnswers(std::deque<uint64_t>& taken);

  std::filesystem::path path_;
  base::Fd fd_;
  std::deque<Pending> unanswered_;
  size_t next_unsent_ = 0;
  uint64_t next_number_ = 1;
};

}  // namespace ospatrol::ipc
