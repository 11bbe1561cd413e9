// Both ends of a Unix datagram queue (queue/ospatrol/queue, execq, ar): wire-protocol 6.1-6.3.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace ospatrol::ipc {

// The reading end. Non-blocking; give fd() to the event loop and call Receive until it says kEmpty.
class DatagramReceiver {
 public:
  enum class Status { kMessage, kTruncated, kEmpty, kError };

  // Unlinks an old socket, binds, sets `mode`. Throws Error 1206/1210 with path and reason.
  DatagramReceiver(const std::filesystem::path& path, mode_t mode);

  int fd() const { return fd_.get(); }

  // Next datagram into `buffer` (resized). kTruncated: longer than kMaxMessage, its beginning is in `buffer`.
  // The terminating NUL is not in it.
  Status Receive(std::string& buffer);

 private:
  base::Fd fd_;
  std::string space_;  // room for the longest message
};

// The writing end. A full queue: Send says kFull, wait for writability or try again.
class DatagramSender {
 public:
  enum class Status { kSent, kFull, kGone };  // kGone: no reader; connect again

  explicit DatagramSender(std::filesystem::path path) : path_(std::move(path)) {}

  // True when connected. errno says why not.
  bool Connect();
  bool IsConnected() const { return fd_.IsOpen(); }
  // Blocks at most `wait_milliseconds` while the reader's queue is full. The terminating NUL is added.
  Status Send(std::string_view message, int wait_milliseconds);
  int fd() const { return fd_.get(); }
  void Disconnect() { fd_.reset(); }

 private:
  std::filesystem::path path_;
  base::Fd fd_;
};

}  // namespace ospatrol::ipc
