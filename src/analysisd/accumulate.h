// <accumulate/>: fields of earlier events with the same host, decoder and id fill the gaps of this
// one (rules-and-decoders 3.8).
#pragma once

#include <array>
#include <string>
#include <unordered_map>

#include "analysisd/event.h"
#include "base/time.h"

namespace ospatrol::analysisd {

// Judging thread only. Entries live for 120 seconds of event time.
class Accumulator {
 public:
  // Fills unset or empty fields of the event and remembers its values. True when the event's
  // decoder accumulates and an id was decoded (logtest then says so); false = nothing was done.
  bool Apply(Event& event);

  size_t size() const { return entries_.size(); }

 private:
  static constexpr size_t kFields = 7;
  struct Entry {
    base::Seconds time = 0;
    std::array<std::string, kFields> values;
  };

  void Sweep(base::Seconds now);

  std::unordered_map<std::string, Entry> entries_;
  std::string key_;  // reused
  unsigned lookups_ = 0;
  base::Seconds last_sweep_ = 0;
};

}  // namespace ospatrol::analysisd
