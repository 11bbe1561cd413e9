#include "logtest/session.h"

namespace ospatrol::logtest {

Session::Session(std::shared_ptr<const analysisd::Ruleset> ruleset)
    : engine_(std::move(ruleset), state_) {}

void Session::Know(const std::vector<std::string>& first_seen_lines) {
  for (const std::string& line : first_seen_lines) state_.RememberFirstSeen(line);
}

void Session::Decode(std::string_view line, base::Seconds time, const Source& source) {
  event_.Reset();
  event_.Assign(source.kind, source.location, line, time);
  engine_.Decode(event_);
}

analysisd::Verdict Session::Judge(analysisd::Tracer* tracer) {
  return engine_.Judge(event_, tracer);
}

}  // namespace ospatrol::logtest
