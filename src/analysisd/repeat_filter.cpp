#include "analysisd/repeat_filter.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kBytesPerWindow = 256;  // of the containers, roughly

}  // namespace

bool RepeatFilter::IsRepeat(const Event& event) {
  if (event.category != Category::kSyslog) return false;
  const auto known = by_location_.find(event.location);
  if (known != by_location_.end()) {
    windows_.splice(windows_.begin(), windows_, known->second);
  } else {
    Window& added = windows_.emplace_front();
    added.location = event.location;
    by_location_.emplace(added.location, windows_.begin());
    bytes_ += kBytesPerWindow + added.location.size();
  }
  Window& window = windows_.front();
  for (size_t i = 0; i < window.count; ++i) {
    if (window.lines[i] == event.full_log) return true;
  }
  std::string& line = window.lines[window.next];
  bytes_ = bytes_ - line.size() + event.full_log.size();
  line = event.full_log;
  window.next = (window.next + 1) % kWindow;
  if (window.count < kWindow) ++window.count;
  EvictToSize();
  return false;
}

void RepeatFilter::EvictToSize() {
  while (bytes_ > kMaxBytes && windows_.size() > 1) {
    const Window& last = windows_.back();
    bytes_ -= kBytesPerWindow + last.location.size();
    for (const std::string& line : last.lines) bytes_ -= line.size();
    by_location_.erase(last.location);
    windows_.pop_back();
  }
}

}  // namespace ospatrol::analysisd
