#include "analysisd/repeat_filter.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kBytesPerWindow = 256;  // of the containers, roughly

}  // namespace

RepeatFilter::Window& RepeatFilter::WindowOf(std::string_view location) {
  const uint64_t hash = hash_(location);
  const auto is_same = [&](const Window& window) { return window.location == location; };
  if (Window* const known = by_location_.Find(hash, is_same)) {
    if (known != &windows_.front()) windows_.splice(windows_.begin(), windows_, known->self);
    return *known;
  }
  Window& added = windows_.emplace_front();
  added.hash = hash;
  added.self = windows_.begin();
  added.location = location;
  by_location_.Add(hash, added);
  bytes_ += kBytesPerWindow + added.location.size();
  return added;
}

bool RepeatFilter::IsRepeat(const Event& event) {
  if (event.category != Category::kSyslog) return false;
  Window& window = WindowOf(event.location);
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
    by_location_.Erase(last.hash, last);
    windows_.pop_back();
  }
}

}  // namespace ospatrol::analysisd
