// From the engine's words to the outputs': an event and its verdict become an Alert. Events without
// a rule become one too, for archives and firewall lines.
#pragma once

#include "alert/alert.h"
#include "analysisd/engine.h"
#include "analysisd/event.h"

namespace ospatrol::analysisd {

class AlertBuilder {
 public:
  // Valid until the next call: its memory is used again. The id is still empty.
  alert::Alert& Build(const Event& event, const Verdict& verdict);

 private:
  void FillFile(const Event& event);

  alert::Alert alert_;
  bool has_file_ = false;  // the last alert had facts of a file
};

}  // namespace ospatrol::analysisd
