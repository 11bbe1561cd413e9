// Events from message to records: decode, judge, build, write. Messages come in portions; a crew of
// threads decodes a portion and makes its records, and one of them judges it in order of arrival.
// And the group commit: what events caused is written file by file, then the state, so that a kill
// at any point makes at most the frames in flight come again.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "analysisd/alert_builder.h"
#include "analysisd/alert_writer.h"
#include "analysisd/chunk_crew.h"
#include "analysisd/engine.h"
#include "analysisd/event.h"
#include "analysisd/record_batch.h"
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

struct PipelineOptions {
  size_t threads = 1;  // that decode and make records, the judging one included
  size_t chunk = 64;   // events that one thread works on at a time; no verdict depends on it
};

class Pipeline : private ChunkCrew::Work {
 public:
  // All four must outlive the pipeline.
  Pipeline(Engine& engine, Statistics& statistics, AlertWriter& writer, StateStore& state,
           PipelineOptions options = {});
  ~Pipeline() override;

  // Adds a message to the portion. Its texts must stay where they are until Run().
  void Add(const ipc::QueueMessage& message) { portion_.push_back(message); }
  // Judges the portion, all of it received at `now`: keep-alive messages are dropped, of everything
  // else the records are pending in the writer afterwards.
  void Run(base::Seconds now);
  // A portion of one.
  void Take(const ipc::QueueMessage& message, base::Seconds now) {
    Add(message);
    Run(now);
  }

  // Writes records and state. False: something is still pending, `failure()` says what; nothing may
  // be answered. REQUIRES: no portion begun.
  bool Commit();
  enum class Step { kOutput, kState };
  struct Failure {
    Step step = Step::kOutput;
    std::string file;  // of an output
    std::string text;
  };
  const Failure& failure() const { return failure_; }
  bool HasPending() const { return writer_.pending().records() > 0 || state_.HasChanges(); }

  const PipelineCounters& counters() const { return counters_; }
  size_t threads() const { return crew_.threads(); }

 private:
  // An event of which records are made, and which ones.
  struct Told {
    const Event* event = nullptr;
    Verdict verdict;
    bool firewall = false, archive = false;
    uint64_t alert = 0;  // its number; 0: there is none
  };
  // One chunk; its memory is used again.
  struct Slot {
    std::unique_ptr<Event[]> events;
    std::vector<bool> is_keepalive;
    std::vector<Told> told;
    std::list<Event> notices;  // our own, among what is told
    AlertBuilder builder;
    RecordBatch records;
  };

  void Decode(size_t chunk, size_t slot) override;
  void Judge(size_t chunk, size_t slot) override;
  void Record(size_t chunk, size_t slot) override;
  void Collect(size_t chunk, size_t slot) override;

  void Judge(Event& event, Slot& slot);
  size_t EventsIn(size_t chunk) const;
  // Where the records of a slot are made.
  RecordBatch& BatchOf(Slot& slot) {
    return crew_.threads() > 1 ? slot.records : writer_.pending();
  }

  void Count(const Event& event);
  void Tell(const Event& event, Verdict verdict, Slot& slot);
  // The alert about unusually many events, of which `event` was one.
  void TellStatistics(const Event& event, std::string_view text, Slot& slot);

  Engine& engine_;
  Statistics& statistics_;
  AlertWriter& writer_;
  StateStore& state_;
  const size_t chunk_;
  base::Seconds now_ = 0;  // of the portion
  std::vector<ipc::QueueMessage> portion_;
  std::vector<Slot> slots_;
  PipelineCounters counters_;
  Failure failure_;
  ChunkCrew crew_;  // last: its threads end first
};

}  // namespace ospatrol::analysisd
