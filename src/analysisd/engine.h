// The engine: one event in, one verdict out. No I/O and no clock: the event brings its time, what
// must survive sits behind EngineState. ospatrol-analysisd and ospatrol-logtest are two faces of
// this class.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/engine_state.h"
#include "analysisd/event.h"
#include "analysisd/ruleset.h"

namespace ospatrol::analysisd {

// What the engine says of one event.
struct Verdict {
  const Rule* rule = nullptr;  // the final rule; nullptr = none matched
  bool alert = false;          // to be written: log flag set, level > 0, not silenced
  bool silenced = false;       // by `ignore` time or `check_if_ignored` (4.7)
  bool duplicate = false;      // dropped by the repeat filter (4.13): no rules were tried
  bool accumulated = false;  // the decoder accumulates and an id was decoded (3.8): logtest says so
  uint64_t fired_times = 0;  // of the rule, this event included
  // Earlier events that were counted, newest first, at most 11; check_diff: "Previous output:" and
  // the old content.
  std::vector<std::string> last_events;
};

// Sees how a verdict came about: logtest -v and --explain. Methods are called in order of
// evaluation.
class Tracer {
 public:
  virtual ~Tracer() = default;
  virtual void Trying(const Rule& rule) = 0;
  // `condition` is the XML element or attribute that failed ("match", "frequency"), with what it
  // wanted and saw.
  virtual void Failed(const Rule& rule, std::string_view condition, std::string_view detail) = 0;
  virtual void Matched(const Rule& rule, bool has_children) = 0;
};

class Engine {
 public:
  Engine(std::shared_ptr<const Ruleset> ruleset, EngineState& state);
  ~Engine();

  // Header, decoders, plugins: fills the event from its text (Event::Assign was called). Const and
  // thread-safe. Routes '3', '8', '9' only split the header; their decoders need state and run in
  // Judge.
  void Decode(Event& event) const {
    ReadHeader(event);
    ReadFields(event);
  }
  // The same in two steps. Doing each for many events keeps what it needs in the processor's cache.
  void ReadHeader(Event& event) const;
  void ReadFields(Event& event) const;

  // Filters, rules, correlation. Sequential, in arrival order. `tracer` may be null.
  Verdict Judge(Event& event, Tracer* tracer = nullptr);

  // Reload: correlation of rules whose id and conditions are unchanged is kept (4.16).
  // REQUIRES: no event that was decoded with the old set is still to be judged.
  void Replace(std::shared_ptr<const Ruleset> ruleset);
  const Ruleset& ruleset() const;

  // How often each rule fired since the last call, in tree order; then from zero: the statistics of
  // an hour (4.14).
  struct FiredRule {
    const Rule* rule;
    uint64_t times;
  };
  std::vector<FiredRule> TakeFired();

  // Earlier events that were dropped from the correlation history although a rule might still have
  // counted them.
  uint64_t forced_evictions() const;

  // Correlation history, `ignore` times and fired counters as bytes, for an orderly stop and the
  // next start. Restore gives false (and changes nothing) when the bytes are not of this form;
  // records of rules that are gone or changed are dropped.
  std::string Save() const;
  bool Restore(std::string_view bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ospatrol::analysisd
