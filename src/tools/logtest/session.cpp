#include "logtest/session.h"

#include "base/time.h"

namespace ospatrol::logtest {

Session::Session(std::shared_ptr<const analysisd::Ruleset> ruleset)
    : ruleset_(std::move(ruleset)), engine_(ruleset_, state_) {}

void Session::Know(const std::vector<std::string>& first_seen_lines) {
  for (const std::string& line : first_seen_lines) state_.RememberFirstSeen(line);
}

void Session::Decode(std::string_view line, base::Seconds time, const Source& source) {
  event_.Reset();
  event_.Assign(source.kind, source.location, line, time);
  engine_.Decode(event_);
}

analysisd::Verdict Session::Judge(analysisd::Tracer* tracer) {
  const analysisd::Verdict verdict = engine_.Judge(event_, tracer);
  if (search_limits_.HasNews()) search_limits_.Tell(*ruleset_, base::MonotonicNow());
  return verdict;
}

}  // namespace ospatrol::logtest
