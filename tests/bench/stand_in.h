// In the place of analysisd: takes events on queue/ospatrol/stream, answers each frame at once,
// counts. So what is measured is remoted alone.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "ipc/stream.h"

namespace ospatrol::bench {

class StandIn {
 public:
  // Listens in the prefix from here on. Throws Error.
  explicit StandIn(const std::filesystem::path& prefix);
  ~StandIn();
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  // Thread-safe, all of them.
  bool connected() const { return connected_; }
  // Events of agents; what remoted says of itself is not among them.
  uint64_t events() const { return events_; }
  uint64_t frames() const { return frames_; }
  // Numbers that came again, and numbers that were left out. Both are wrong.
  uint64_t repeated() const { return repeated_; }
  uint64_t missing() const { return missing_; }
  // "Events lost: N ...": the sum of N over the events of remoted that say so.
  uint64_t said_lost() const { return said_lost_; }

 private:
  struct SenderHash {
    size_t operator()(const ipc::SenderId& id) const;
  };

  void Run();
  // False: the connection has ended.
  bool Take(ipc::StreamPeer& peer);
  void Count(const ipc::Group& group);

  ipc::StreamListener listener_;
  std::vector<ipc::StreamPeer> peers_;
  std::string buffer_;
  ipc::Frame frame_;
  std::unordered_map<ipc::SenderId, uint64_t, SenderHash> last_;
  std::atomic<bool> stop_{false}, connected_{false};
  std::atomic<uint64_t> events_{0}, frames_{0}, repeated_{0}, missing_{0}, said_lost_{0};
  std::thread thread_;
};

}  // namespace ospatrol::bench
