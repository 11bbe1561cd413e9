// One engine with its memory: correlation, ignore times and first-seen lines persist over the lines
// of a session.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/engine.h"
#include "analysisd/memory_state.h"
#include "analysisd/search_limits.h"

namespace ospatrol::logtest {

// How a line comes in. Defaults: as the reference's logtest feeds it.
struct Source {
  char kind = '1';
  std::string_view location = "stdin";
};

class Session {
 public:
  explicit Session(std::shared_ptr<const analysisd::Ruleset> ruleset);

  // These first-time-seen lines are known from the beginning.
  void Know(const std::vector<std::string>& first_seen_lines);

  // Decodes into event(); judge it with Judge. `time` is the receipt time that rules see.
  void Decode(std::string_view line, base::Seconds time, const Source& source = {});
  analysisd::Verdict Judge(analysisd::Tracer* tracer = nullptr);

  const analysisd::Event& event() const { return event_; }

 private:
  std::shared_ptr<const analysisd::Ruleset> ruleset_;
  analysisd::SearchLimits search_limits_;
  analysisd::MemoryState state_;
  analysisd::Engine engine_;
  analysisd::Event event_;
};

}  // namespace ospatrol::logtest
