#include "analysisd/event_ring.h"

#include <algorithm>
#include <utility>

namespace ospatrol::analysisd {

void EventRing::Add(PastEvent& past, uint64_t sequence, std::string_view value, int mark) {
  auto found = values_.find(value);
  if (found == values_.end()) found = values_.try_emplace(std::string(value)).first;
  Entry entry{&past, sequence, &*found, sequence};
  entry.value->second.push_back(sequence);
  if (!entries_.empty() && entries_.back().value == entry.value) entry.run = entries_.back().run;
  entries_.push_back(entry);
  AddMark(sequence, mark);
}

void EventRing::DropOldest() {
  Values::value_type* const value = entries_.front().value;
  entries_.pop_front();
  const uint64_t kept_from = entries_.empty() ? ~uint64_t{0} : entries_.front().sequence;
  std::erase_if(used_, [&](const Used& mark) { return mark.sequence < kept_from; });
  value->second.pop_front();
  // Erasing by a reference into the node itself would read it after its end.
  if (value->second.empty()) values_.erase(values_.find(std::string_view(value->first)));
}

size_t EventRing::IndexAfter(uint64_t sequence) const {
  return entries_.CountBefore([&](const Entry& entry) { return entry.sequence <= sequence; });
}

// A mark decides nothing any more when one that is as new and as high stands on the same value, or
// when two do on different values: whatever value is asked about, one of them is there.
void EventRing::AddMark(uint64_t sequence, int level) {
  if (level <= 0) return;
  const Used added{sequence, level, entries_[IndexAfter(sequence) - 1].value};
  const auto covers = [](const Used& a, const Used& b) {
    return a.sequence >= b.sequence && a.level >= b.level;
  };
  const auto is_needless = [&](const Used& mark, const Used& other) {
    if (!covers(other, mark)) return false;
    if (other.value == mark.value) return true;
    return std::any_of(used_.begin(), used_.end(), [&](const Used& third) {
      return &third != &mark && third.value != other.value && covers(third, mark);
    });
  };
  if (std::any_of(used_.begin(), used_.end(),
                  [&](const Used& mark) { return is_needless(added, mark); })) {
    return;
  }
  // Found first, erased later: the test looks at all of them.
  std::vector<Used> kept;
  for (const Used& mark : used_) {
    if (!is_needless(mark, added)) kept.push_back(mark);
  }
  kept.push_back(added);
  used_ = std::move(kept);
}

const EventRing::Values::value_type* EventRing::Find(std::string_view value) const {
  const auto found = values_.find(value);
  return found == values_.end() ? nullptr : &*found;
}

size_t EventRing::CountOthers(std::string_view value, uint64_t barrier, int level) const {
  const Values::value_type* const same = Find(value);
  uint64_t limit = barrier;
  for (const Used& mark : used_) {
    if (mark.level >= level && mark.value != same) limit = std::max(limit, mark.sequence);
  }
  const size_t newer = entries_.size() - IndexAfter(limit);
  if (same == nullptr) return newer;
  const size_t older = same->second.CountBefore([&](uint64_t number) { return number <= limit; });
  return newer - (same->second.size() - older);
}

void EventRing::NewestOthers(std::string_view value, size_t limit,
                             std::vector<PastEvent*>& found) const {
  const Values::value_type* const same = Find(value);
  size_t left = entries_.size();
  while (left > 0 && found.size() < limit) {
    const Entry& entry = entries_[left - 1];
    if (same != nullptr && entry.value == same) {
      left = IndexAfter(entry.run - 1);
    } else {
      found.push_back(entry.past);
      --left;
    }
  }
}

}  // namespace ospatrol::analysisd
