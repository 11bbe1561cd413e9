// One event from message to records: decode, judge, build, write. And the group commit: what events
// caused is written file by file, then the state, so that a kill at any point makes at most the
// frames in flight come again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "analysisd/alert_builder.h"
#include "analysisd/alert_writer.h"
#include "analysisd/engine.h"
#include "analysisd/event.h"
#include "analysisd/state_store.h"
#include "analysisd/statistics.h"
#include "base/time.h"
#include "ipc/queue_message.h"

namespace ospatrol::analysisd {

struct PipelineCounters {
  uint64_t decoded = 0;  // all routes
  uint64_t syscheck = 0, rootcheck = 0, hostinfo = 0;
  uint64_t processed = 0;  // went through the rules
  uint64_t repeated = 0;   // dropped by the repeat filter
  uint64_t keepalives = 0;
};

class Pipeline {
 public:
  // All four must outlive the pipeline.
  Pipeline(Engine& engine, Statistics& statistics, AlertWriter& writer, StateStore& state)
      : engine_(engine), statistics_(statistics), writer_(writer), state_(state) {}

  // Keep-alive messages are dropped; everything else is judged and its records are pending in the
  // writer.
  void Take(const ipc::QueueMessage& message, base::Seconds now);

  // Writes records and state. False: something is still pending, `failure()` says what; nothing may
  // be answered.
  bool Commit();
  enum class Step { kOutput, kState };
  struct Failure {
    Step step = Step::kOutput;
    std::string file;  // of an output
    std::string text;
  };
  const Failure& failure() const { return failure_; }
  bool HasPending() const { return writer_.pending() > 0 || state_.HasChanges(); }

  const PipelineCounters& counters() const { return counters_; }

 private:
  void Count(const Event& event);
  void Tell(const Event& event, const Verdict& verdict);
  // The alert about unusually many events, of which `event` was one.
  void TellStatistics(const Event& event, std::string_view text);

  Engine& engine_;
  Statistics& statistics_;
  AlertWriter& writer_;
  StateStore& state_;
  Event event_;  // its memory is used again
  AlertBuilder builder_;
  PipelineCounters counters_;
  Failure failure_;
};

}  // namespace ospatrol::analysisd
