// Responses that are in force and will be taken back (outputs-and-response 6.4).
#pragma once

#include <chrono>
#include <list>
#include <optional>
#include <string>

#include "execd/request.h"

namespace ospatrol::execd {

struct Undo {
  using Clock = std::chrono::steady_clock;

  std::string executable;
  Request request;
  Clock::time_point due;
};

class UndoList {
 public:
  // The entry of the same script, user, address and file, if it is in force.
  Undo* Find(const std::string& executable, const Request& request);
  void Add(Undo undo) { undos_.push_back(std::move(undo)); }
  // Takes out one that is due at `now`; nothing when none is.
  std::optional<Undo> TakeDue(Undo::Clock::time_point now);
  // Takes out any; nothing when none is left.
  std::optional<Undo> Take();
  // When the next one is due; nothing when there is none.
  std::optional<Undo::Clock::time_point> NextDue() const;
  size_t size() const { return undos_.size(); }

 private:
  std::list<Undo> undos_;
};

}  // namespace ospatrol::execd
