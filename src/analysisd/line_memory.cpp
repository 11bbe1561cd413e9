#include "analysisd/line_memory.h"

#include <iterator>
#include <utility>

namespace ospatrol::analysisd {

void LineMemory::SetLimit(size_t limit) {
  limit_ = limit;
  Shrink();
}

void LineMemory::Load(std::string line, uint64_t used) {
  const auto place = lines_.insert(lines_.end(), std::move(line));
  if (!places_.emplace(*place, place).second) lines_.erase(place);
  last_use_ = used;
}

bool LineMemory::Remember(std::string_view line) {
  const auto found = places_.find(line);
  const bool is_new = found == places_.end();
  if (!is_new && limit_ == 0) return false;  // nobody asks for the order of use
  if (is_new) {
    const auto place = lines_.insert(lines_.end(), std::string(line));
    places_.emplace(*place, place);
  } else {
    lines_.splice(lines_.end(), lines_, found->second);
  }
  changed_.push_back({std::string(line), ++last_use_});
  if (is_new) Shrink();
  return is_new;
}

void LineMemory::Shrink() {
  while (limit_ > 0 && lines_.size() > limit_) {
    places_.erase(lines_.front());
    removed_.push_back(std::move(lines_.front()));
    lines_.pop_front();
    ++forgotten_;
  }
}

void LineMemory::Settle() {
  changed_.clear();
  removed_.clear();
}

}  // namespace ospatrol::analysisd
