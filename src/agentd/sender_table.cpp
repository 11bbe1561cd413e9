#include "agentd/sender_table.h"

#include <algorithm>

namespace ospatrol::agentd {

uint64_t SenderTable::Last(const ipc::SenderId& sender) const {
  const auto found = entries_.find(sender);
  return found == entries_.end() ? 0 : found->second.last;
}

void SenderTable::Set(const SenderNote& note, int64_t now_ms) {
  const auto found = entries_.find(note.sender);
  if (found != entries_.end()) {
    found->second = {std::max(found->second.last, note.last), now_ms};
    return;
  }
  if (entries_.size() >= kMost) {
    entries_.erase(std::ranges::min_element(
        entries_, {}, [](const auto& entry) { return entry.second.seen_ms; }));
  }
  entries_[note.sender] = {note.last, now_ms};
}

void SenderTable::Forget(int64_t now_ms) {
  std::erase_if(entries_, [now_ms](const auto& entry) {
    return now_ms - entry.second.seen_ms > kForgottenAfterMs;
  });
}

}  // namespace ospatrol::agentd
