// queue/ospatrol/.wait: while it exists, programs that write to the datagram queue wait
// (wire-protocol 6.4).
#pragma once

#include <filesystem>
#include <utility>

namespace ospatrol::agentd {

class WaitLock {
 public:
  // One that an earlier process left behind is removed.
  explicit WaitLock(std::filesystem::path path);
  WaitLock(const WaitLock&) = delete;
  WaitLock& operator=(const WaitLock&) = delete;
  ~WaitLock() { Clear(); }

  // It names this process, so that readers can tell one that a killed process left. A disk that is
  // full may refuse it: then writers wait because nobody reads the queue.
  void Set();
  void Clear();
  bool IsSet() const { return set_; }

 private:
  std::filesystem::path path_;
  bool set_ = false;
};

}  // namespace ospatrol::agentd
