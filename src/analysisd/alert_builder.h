// From the engine's words to the outputs': an event and its verdict become an AlertView. Events
// without a rule become one too, for archives and firewall lines.
#pragma once

#include "alert/alert.h"
#include "analysisd/engine.h"
#include "analysisd/event.h"

namespace ospatrol::analysisd {

class AlertBuilder {
 public:
  // Valid until the next call, and as long as the event, its rule and its decoder. The id is still
  // empty.
  alert::AlertView& Build(const Event& event, const Verdict& verdict);

 private:
  alert::AlertView alert_;
};

}  // namespace ospatrol::analysisd
