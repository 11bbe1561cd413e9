// A receiver in memory, with the memory of the real one: it skips event numbers that it already
// has.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "logcollector/sink.h"

namespace ospatrol::logcollector {

class FakeSink final : public Sink {
 public:
  bool Offer(const std::shared_ptr<Producer>& from, const ipc::SenderId& sender,
             const Position& after, std::string_view message) override {
    if (room == 0) return false;
    --room;
    in_flight.push_back({from, sender, after, std::string(message)});
    return true;
  }

  // Judges and answers everything in flight.
  void AnswerAll() {
    for (Event& event : std::exchange(in_flight, {})) {
      Judge(event);
      event.from->Taken(event.after);
    }
  }
  // Judges, but the answer never arrives: the sender was killed.
  void JudgeWithoutAnswer() {
    for (const Event& event : std::exchange(in_flight, {})) Judge(event);
  }
  void LoseInFlight() { in_flight.clear(); }

  struct Event {
    std::shared_ptr<Producer> from;
    ipc::SenderId sender;
    Position after;
    std::string message;
  };
  size_t room = SIZE_MAX;
  std::vector<Event> in_flight;
  std::vector<std::string> judged;
  size_t skipped = 0;
  std::map<ipc::SenderId, uint64_t> last;

 private:
  void Judge(const Event& event) {
    uint64_t& known = last[event.sender];
    if (event.after.number <= known) {
      ++skipped;
      return;
    }
    known = event.after.number;
    judged.push_back(event.message);
  }
};

}  // namespace ospatrol::logcollector
