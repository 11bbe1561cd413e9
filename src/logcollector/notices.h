// Events that the collector makes itself: rotation notices and the keep-alive
// (collection-and-integrity 2.4, 2.5). Each is on disk with its number before it goes out, and
// until it is taken.
#pragma once

#include <deque>
#include <memory>
#include <string_view>

#include "logcollector/position_store.h"
#include "logcollector/sink.h"

namespace ospatrol::logcollector {

class Notices final : public Producer, public std::enable_shared_from_this<Notices> {
 public:
  static constexpr std::string_view kCollector = "ossec-logcollector";
  static constexpr std::string_view kKeepAlive = "ossec-keepalive";
  static constexpr size_t kMaxText = 511;  // bytes

  // Loads what an earlier run could not get rid of.
  explicit Notices(PositionStore& store);

  // False when it can't be stored; then it is not sent.
  bool Add(std::string_view location, std::string_view text);
  // Offers what is waiting. False when the sink is full.
  bool OfferTo(Sink& sink);
  bool HasWaiting() const { return next_ < notices_.size(); }

  void Taken(const Position& position) override;
  void Rewind() override { next_ = 0; }

 private:
  PositionStore& store_;
  std::deque<StoredNotice> notices_;  // not yet taken
  size_t next_ = 0;                   // first one not yet offered
};

}  // namespace ospatrol::logcollector
