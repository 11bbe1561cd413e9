// What a path shows to one system call, from look to look.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "logcollector/file_facts.h"

namespace ospatrol::logcollector {

struct Look {
  int error = 0;  // errno; then there are no facts
  FileFacts facts;

  bool operator==(const Look&) const = default;
};

Look LookAt(const std::string& path);

class Glance {
 public:
  using Clock = std::chrono::steady_clock;

  // Two changes can bear the same time, in the coarsest file system for two seconds.
  static constexpr std::chrono::seconds kSameTime{3};

  // True when this is the look of all calls of the last while, and one of them came so late that a
  // change which bears the same time as the last one had been made by then. Whoever looks closer
  // after each call that gave false has therefore missed nothing.
  bool IsSame(const Look& look, Clock::time_point now);

  // The last one; none before the first call.
  const std::optional<Look>& last() const { return last_; }

 private:
  std::optional<Look> last_;
  Clock::time_point since_{};
  bool confirmed_ = false;
};

}  // namespace ospatrol::logcollector
