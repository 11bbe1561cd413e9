#include "remoted/fault_log.h"

#include <utility>
#include <vector>

namespace ospatrol::remoted {

bool FaultLog::Admit(const log::Message& message, std::string_view source) {
  // The key begins with the address of the catalogue's entry: unique per message.
  const log::Message* address = &message;
  std::string key(reinterpret_cast<const char*>(&address), sizeof address);
  key += source;
  const std::scoped_lock lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    ++found->second.left_out;
    return false;
  }
  if (entries_.size() >= kMaxSources) {
    ++others_[address];
    return false;
  }
  entries_.emplace(std::move(key), Entry{address, std::string(source), Clock::now(), 0});
  return true;
}

void FaultLog::TellEntry(const Entry& entry) const {
  log::Write<msg::kFaultsRepeated>(entry.left_out, entry.source, entry.message->id);
}

void FaultLog::Tell(Clock::time_point now) {
  std::vector<Entry> due;
  std::unordered_map<const log::Message*, uint64_t> others;
  {
    const std::scoped_lock lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      if (now - entry->second.written < kPause) {
        ++entry;
        continue;
      }
      if (entry->second.left_out == 0) {
        entry = entries_.erase(entry);
        continue;
      }
      // It goes on, so this line counts as the line of the next minute.
      due.push_back(entry->second);
      entry->second.left_out = 0;
      entry->second.written = now;
      ++entry;
    }
    if (now - others_told_ >= kPause && !others_.empty()) {
      others.swap(others_);
      others_told_ = now;
    }
  }
  for (const Entry& entry : due) TellEntry(entry);
  for (const auto& [message, count] : others) {
    log::Write<msg::kFaultsOfOthers>(count, message->id);
  }
}

}  // namespace ospatrol::remoted
