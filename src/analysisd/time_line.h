// Answers "which is the newest event that is older than T?" also when the clock was set back: of
// the times seen, those that no later one undercuts, so both columns ascend.
#pragma once

#include <cstdint>
#include <limits>

#include "analysisd/compact_queue.h"

namespace ospatrol::analysisd {

// Most events come within the second of the one before. Adding such a one, and asking for the same
// T again, takes one comparison and touches nothing but this object.
class TimeLine {
 public:
  // Sequence numbers ascend. Times before `keep_from` are not asked for any more.
  void Add(int64_t time, uint64_t sequence, int64_t keep_from) {
    if (time < asked_) answer_ = sequence;
    if (time != newest_.time) AddTime(time, keep_from);
    newest_.sequence = sequence;
  }

  // Sequence number of the newest event with a time before `time`; 0 = none.
  uint64_t NewestBefore(int64_t time) {
    if (time == asked_) return answer_;
    asked_ = time;
    answer_ = newest_.time < time ? newest_.sequence : SequenceBefore(time);
    return answer_;
  }

  void Clear() { *this = TimeLine(); }

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();
  struct Point {
    int64_t time;
    uint64_t sequence;
  };

  void AddTime(int64_t time, int64_t keep_from) {
    if (newest_.time != kNever && newest_.time < time) earlier_.push_back(newest_);
    while (!earlier_.empty() && earlier_.back().time >= time) earlier_.pop_back();
    newest_.time = time;
    while (!earlier_.empty()) {
      const int64_t next = earlier_.size() > 1 ? earlier_[1].time : time;
      if (next >= keep_from) break;
      earlier_.pop_front();
    }
  }
  uint64_t SequenceBefore(int64_t time) const {
    const size_t count = earlier_.CountBefore([&](const Point& p) { return p.time < time; });
    return count == 0 ? 0 : earlier_[count - 1].sequence;
  }

  Point newest_{kNever, 0};
  int64_t asked_ = kNever;  // the last question
  uint64_t answer_ = 0;     // to it, as of now
  CompactQueue<Point> earlier_;
};

}  // namespace ospatrol::analysisd
