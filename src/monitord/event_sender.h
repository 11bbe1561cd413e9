// A few events for analysisd over queue/ospatrol/stream, each once: what is on its way, with its
// numbers, is part of the state that the owner keeps on disk, and is sent again with the same
// numbers after a restart. Runs no loop: call Pump from a timer and when fd() is readable.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/frame.h"
#include "ipc/stream.h"

namespace ospatrol::monitord {

class EventSender {
 public:
  // `taken`: analysisd has answered for all that was sent.
  EventSender(std::filesystem::path stream, std::function<void()> taken);

  // What Save wrote; anything else begins a new sequence. The first Pump sends what was on its way.
  void Restore(std::string_view text);
  // Lines "sender ID NUMBER" and "event MESSAGE".
  std::string Save() const;

  // Messages T:LOCATION:TEXT, without line feeds. Nothing goes out before the next Pump: save
  // first. REQUIRES: idle(); together they fit into one frame.
  void Send(std::vector<std::string> messages);
  bool idle() const { return pending_.empty(); }

  // Connects when it can, writes, reads answers.
  void Pump();
  // -1 while there is no connection.
  int fd() const { return sender_.IsConnected() ? sender_.fd() : -1; }

 private:
  ipc::StreamSender sender_;
  std::function<void()> taken_;
  ipc::SenderId id_{};
  uint64_t first_ = 1;  // number of the first pending message, or of the next one
  std::vector<std::string> pending_;
  bool submitted_ = false;
};

}  // namespace ospatrol::monitord
