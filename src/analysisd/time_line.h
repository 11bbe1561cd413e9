// Answers "which is the newest event that is older than T?" also when the clock was set back: of
// the times seen, those that no later one undercuts, so both columns ascend.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>

#include "analysisd/compact_queue.h"

namespace ospatrol::analysisd {

// Most events come within the second of the one before. Adding such a one, and asking for the same
// T again, takes one comparison.
class TimeLine {
 public:
  // Sequence numbers ascend. Times before `keep_from` are not asked for any more.
  void Add(int64_t time, uint64_t sequence, int64_t keep_from) {
    if (time < asked_) answer_ = sequence;
    if (!points_.empty() && points_.back().time == time) {
      points_.back().sequence = sequence;
      return;
    }
    while (!points_.empty() && points_.back().time > time) points_.pop_back();
    if (!points_.empty() && points_.back().time == time) points_.pop_back();
    points_.push_back({time, sequence});
    while (points_.size() > 1 && points_[1].time < keep_from) points_.pop_front();
  }

  // Sequence number of the newest event with a time before `time`; 0 = none.
  uint64_t NewestBefore(int64_t time) {
    if (time == asked_) return answer_;
    const auto after = std::lower_bound(points_.begin(), points_.end(), time,
                                        [](const Point& p, int64_t t) { return p.time < t; });
    asked_ = time;
    answer_ = after == points_.begin() ? 0 : std::prev(after)->sequence;
    return answer_;
  }

  void Clear() { *this = TimeLine(); }

 private:
  struct Point {
    int64_t time;
    uint64_t sequence;
  };
  CompactQueue<Point> points_;
  int64_t asked_ = std::numeric_limits<int64_t>::min();  // the last question
  uint64_t answer_ = 0;                                  // to it, as of now
};

}  // namespace ospatrol::analysisd
