// The last event number of each sender on the local stream: what comes again after a lost answer is
// recognised by it (wire-protocol 6.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "agentd/spool_record.h"

namespace ospatrol::agentd {

class SenderTable {
 public:
  // A sender repeats at most the frames that it has in flight, so one that was silent while so many
  // others spoke, or for so long, has nothing to repeat.
  static constexpr size_t kMost = 4096;
  static constexpr int64_t kForgottenAfterMs = int64_t{30} * 24 * 3600 * 1000;

  uint64_t Last(const ipc::SenderId& sender) const;  // 0: unknown
  // Numbers never fall.
  void Set(const SenderNote& note, int64_t now_ms);
  void Forget(int64_t now_ms);

  struct Entry {
    uint64_t last = 0;
    int64_t seen_ms = 0;
  };
  const std::map<ipc::SenderId, Entry>& entries() const { return entries_; }

 private:
  std::map<ipc::SenderId, Entry> entries_;
};

}  // namespace ospatrol::agentd
