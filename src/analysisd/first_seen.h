// The `if_fts` test: did this decoder ever see this combination of values
// (rules-and-decoders 4.11)?
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "analysisd/engine_state.h"
#include "analysisd/event.h"
#include "analysisd/ruleset.h"

namespace ospatrol::analysisd {

// Decoder name, id, dstuser, srcuser, srcip, dstip, data, systemname, location, joined by one blank
// each; what the decoder's <fts> does not select is empty. At most 255 bytes. REQUIRES: the event
// has a decoder.
std::string FirstSeenLine(const Event& event);

// Judging thread only. Lines are kept in EngineState; the window of the similarity filter lives
// here.
class FirstSeen {
 public:
  explicit FirstSeen(const EngineOptions& options);

  // True the first time, and then the line is remembered: a second rule that asks about the same
  // event gets false. False for events whose decoder has no <fts>. Rootcheck events answer with
  // their own flag and store nothing.
  bool Test(const Event& event, EngineState& state);

 private:
  // Events of type ids: a line that shares a long prefix with three recent ones is cut to that
  // prefix, so that a family of similar lines is reported once.
  void CutWhenSimilar(std::string& line) const;

  size_t window_size_;
  size_t prefix_size_;
  std::deque<std::string> window_;  // newest first
};

}  // namespace ospatrol::analysisd
