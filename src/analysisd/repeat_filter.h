// Drops a line that a source sends again (rules-and-decoders 4.13): one that equals one of the last
// three different lines of the same location.
#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>

#include "analysisd/event.h"
#include "analysisd/hash_index.h"
#include "analysisd/text_hash.h"

namespace ospatrol::analysisd {

// Judging thread only. Remembers the locations that sent last; kMaxBytes bounds what many locations
// can take.
class RepeatFilter {
 public:
  static constexpr size_t kWindow = 3;
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  // True when the event repeats one of its location's last lines. Only events of category syslog
  // are looked at; the others neither repeat nor enter the window.
  bool IsRepeat(const Event& event);

  size_t locations() const { return windows_.size(); }

 private:
  struct Window {
    uint64_t hash = 0;  // of the location
    std::list<Window>::iterator self;
    std::string location;
    std::array<std::string, kWindow> lines;
    size_t count = 0;
    size_t next = 0;  // the oldest one, once the window is full
  };

  // Its window, which is the first then.
  Window& WindowOf(std::string_view location);
  void EvictToSize();

  std::list<Window> windows_;  // sent last first
  TextHash hash_;
  HashIndex<Window> by_location_;
  size_t bytes_ = 0;
};

}  // namespace ospatrol::analysisd
