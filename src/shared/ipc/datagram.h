// Both ends of a Unix datagram queue (queue/ospatrol/queue, execq, ar): wire-protocol 6.1-6.3.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace ospatrol::ipc {

// The reading end. Non-blocking; give fd() to the event loop and call Receive until it
// gives nothing.
class DatagramReceiver {
 public:
  static constexpr size_t kMostAtOnce = 512;

  struct Datagram {
    std::string_view bytes;  // without the terminating NUL
    bool cut = false;        // was longer than kMaxMessage
  };

  // Unlinks an old socket, binds, sets `mode`. Throws Error 1206/1210 with path and reason.
  DatagramReceiver(const std::filesystem::path& path, mode_t mode);
  ~DatagramReceiver();

  int fd() const { return fd_.get(); }

  // The datagrams that wait, at most kMostAtOnce, with one call of the kernel. They are valid until
  // the next call. Nothing: none waits (errno is EAGAIN), or errno says what is wrong.
  std::span<const Datagram> Receive();

 private:
  struct Space;

  base::Fd fd_;
  std::unique_ptr<Space> space_;
};

// The writing end. A full queue: Send says kFull, wait for writability or try again.
class DatagramSender {
 public:
  enum class Status { kSent, kFull, kGone };  // kGone: no reader; connect again

  explicit DatagramSender(std::filesystem::path path) : path_(std::move(path)) {}

  // True when connected. errno says why not.
  bool Connect();
  bool IsConnected() const { return fd_.IsOpen(); }
  // Blocks at most `wait_milliseconds` while the reader's queue is full. The terminating NUL is
  // added.
  Status Send(std::string_view message, int wait_milliseconds);
  int fd() const { return fd_.get(); }
  void Disconnect() { fd_.reset(); }

 private:
  std::filesystem::path path_;
  base::Fd fd_;
};

}  // namespace ospatrol::ipc
