// Where events go: the contract between what reads (log files, notices) and what sends (the
// outlet).
#pragma once

#include <memory>
#include <string_view>

#include "ipc/frame.h"
#include "logcollector/position_store.h"

namespace ospatrol::logcollector {

// A source of numbered events that can produce them again.
class Producer {
 public:
  virtual ~Producer() = default;

  // Everything offered up to `position` is safe at the receiver.
  virtual void Taken(const Position& position) = 0;
  // What was offered and not taken will never be answered: produce it again.
  virtual void Rewind() = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;

  // Takes over one event, or says false: offer the same event again when there is room.
  // `after` is the place behind the event; its number is the event's.
  virtual bool Offer(const std::shared_ptr<Producer>& from, const ipc::SenderId& sender,
                     const Position& after, std::string_view message) = 0;
};

}  // namespace ospatrol::logcollector
