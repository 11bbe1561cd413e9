#include "analysisd/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "analysisd/accumulate.h"
#include "analysisd/candidate_index.h"
#include "analysisd/correlator.h"
#include "analysisd/decoder.h"
#include "analysisd/decoder_set.h"
#include "analysisd/firewall.h"
#include "analysisd/first_seen.h"
#include "analysisd/hostinfo_decoder.h"
#include "analysisd/ignore_line.h"
#include "analysisd/predecoder.h"
#include "analysisd/repeat_filter.h"
#include "analysisd/rootcheck_decoder.h"
#include "analysisd/rule_set.h"
#include "analysisd/rule_walk.h"
#include "analysisd/state_bytes.h"
#include "analysisd/syscheck_decoder.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kStateMagic = "OSPatrol engine state 1\n";

bool NeedsState(char kind) { return kind == '3' || kind == '8' || kind == '9'; }

// What a rule remembers of itself.
struct RuleMemory {
  uint64_t fired = 0;
  std::optional<base::Seconds> last_alert;  // only of rules with `ignore`
};

}  // namespace

struct Engine::Impl {
  Impl(std::shared_ptr<const Ruleset> set, EngineState& engine_state)
      : ruleset(std::move(set)), state(engine_state), first_seen(ruleset->options()) {
    UseRules();
  }

  void UseRules() {
    walk = &ruleset->walk();
    memory.assign(ruleset->rules().rules().size(), {});
    correlator = std::make_unique<Correlator>(ruleset->rules(), ruleset->options());
  }

  // One event on its way through the tree.
  struct Trial {
    Event& event;
    Tracer* tracer;
    int mark = 0;  // level of the composite rule that this event made fire
    std::vector<std::string> last_events;
  };

  // Gives false when the message is no event: bookkeeping, or a plugin dropped it.
  bool DecodeWithState(Event& event);
  Verdict JudgeEvent(Event& event, Tracer* tracer);
  const Rule* FirstMatch(Trial& trial);
  const Rule* Try(size_t number, Trial& trial);
  const Rule* TryChildren(const RuleWalk::Node& node, Trial& trial);
  bool Holds(const RuleWalk::Node& node, Trial& trial);
  // The same for a rule of any decoder, and tells the tracer.
  bool HoldsTraced(const RuleWalk::Node& node, Trial& trial);
  bool IsSilenced(const Rule& rule, const Event& event);

  std::string Save() const;
  bool Restore(std::string_view bytes);

  std::shared_ptr<const Ruleset> ruleset;
  const RuleWalk* walk = nullptr;  // of ruleset
  EngineState& state;
  FirstSeen first_seen;
  Accumulator accumulator;
  RepeatFilter repeat_filter;
  std::vector<RuleMemory> memory;  // by Rule::index
  std::unique_ptr<Correlator> correlator;
  CandidateIndex::Reached reached;  // by the present event
};

bool Engine::Impl::DecodeWithState(Event& event) {
  const EngineOptions& options = ruleset->options();
  switch (event.kind) {
    case '3':
      return DecodeHostInfo(event, state, options);
    case '8':
      return DecodeSyscheck(event, state, options);
    case '9':
      return DecodeRootcheck(event, state, options);
    default:
      return !event.dropped;
  }
}

Verdict Engine::Impl::JudgeEvent(Event& event, Tracer* tracer) {
  const EngineOptions& options = ruleset->options();
  Verdict verdict;
  if (!DecodeWithState(event)) {
    event.dropped = true;
    return verdict;
  }
  if (options.log_fw && event.category == Category::kFirewall && IsSet(event.Get(Field::kAction))) {
    event.Set(Field::kAction, NormaliseAction(event.Get(Field::kAction)));
  }
  if (options.repeat_filter && repeat_filter.IsRepeat(event)) {
    verdict.duplicate = true;
    return verdict;
  }
  verdict.accumulated = accumulator.Apply(event);
  ruleset->index().Load(event, reached);

  Trial trial{.event = event, .tracer = tracer, .mark = 0, .last_events = {}};
  const Rule* rule = event.relayed_rule != nullptr ? event.relayed_rule : FirstMatch(trial);
  if (rule == nullptr) return verdict;
  verdict.rule = rule;
  verdict.fired_times = ++memory[rule->index].fired;
  if (rule->level == 0) return verdict;
  if (IsSilenced(*rule, event)) {
    verdict.silenced = true;
    return verdict;
  }
  if (rule->ignore_fields != 0) {
    const std::string line = IgnoreLine(event, rule->ignore_fields);
    if (!state.IsIgnored(line)) state.Ignore(line);
  }
  verdict.alert = rule->log;
  verdict.last_events = std::move(trial.last_events);
  correlator->Record(event, *rule, trial.mark);
  return verdict;
}

const Rule* Engine::Impl::FirstMatch(Trial& trial) {
  for (const uint32_t root : walk->RootsOf(trial.event.category)) {
    if (const Rule* rule = Try(root, trial)) return rule;
  }
  return nullptr;
}

const Rule* Engine::Impl::Try(size_t number, Trial& trial) {
  const RuleWalk::Node& node = (*walk)[number];
  if (trial.tracer != nullptr) trial.tracer->Trying(*node.rule);

  // What a rule counted is told only when it, or a rule below it, is the final one.
  std::vector<std::string> told_before;
  if (node.tells) told_before = trial.last_events;

  const Rule* found = nullptr;
  if (trial.tracer == nullptr ? Holds(node, trial) : HoldsTraced(node, trial)) {
    found = TryChildren(node, trial);
    if (found == nullptr && !node.rule->noalert) found = node.rule;
  }
  if (found == nullptr && node.tells) trial.last_events = std::move(told_before);
  return found;
}

const Rule* Engine::Impl::TryChildren(const RuleWalk::Node& node, Trial& trial) {
  const Rule* found = nullptr;
  const auto is_final = [&](size_t number) {
    found = Try(number, trial);
    return found != nullptr;
  };
  if (trial.tracer == nullptr) {
    CandidateIndex::ForEach(node.first_child, node.children, reached, is_final);
    return found;
  }
  // A trace shows every rule, also those that the index would pass over.
  const size_t end = size_t{node.first_child} + node.children;
  for (size_t number = node.first_child; number < end; ++number) {
    if (is_final(number)) break;
  }
  return found;
}

bool Engine::Impl::Holds(const RuleWalk::Node& node, Trial& trial) {
  ConditionContext context{state, first_seen, *node.rule, trial.last_events};
  for (const Condition* condition : walk->TestsOf(node)) {
    if (!condition->Holds(trial.event, context)) return false;
  }
  return !node.counts || correlator->Counts(*node.rule, trial.event, trial.mark, trial.last_events);
}

bool Engine::Impl::HoldsTraced(const RuleWalk::Node& node, Trial& trial) {
  const Rule& rule = *node.rule;
  ConditionContext context{state, first_seen, rule, trial.last_events};
  for (const auto& condition : rule.conditions) {
    if (condition->Holds(trial.event, context)) continue;
    trial.tracer->Failed(rule, condition->element(), condition->Describe(trial.event));
    return false;
  }
  if (node.counts && !correlator->Counts(rule, trial.event, trial.mark, trial.last_events)) {
    trial.tracer->Failed(rule, "frequency",
                         fmt::format("frequency: {} of {} earlier events in {} seconds ({})",
                                     correlator->Found(rule, trial.event), rule.frequency + 1,
                                     rule.timeframe, rule.correlation->Describe()));
    return false;
  }
  trial.tracer->Matched(rule, node.children != 0);
  return true;
}

// Steps 2 and 3 of 4.7.
bool Engine::Impl::IsSilenced(const Rule& rule, const Event& event) {
  if (rule.ignore_seconds > 0) {
    std::optional<base::Seconds>& last = memory[rule.index].last_alert;
    if (last && event.time - *last < rule.ignore_seconds) return true;
    last = event.time;
  }
  return rule.check_ignored_fields != 0 &&
         state.IsIgnored(IgnoreLine(event, rule.check_ignored_fields));
}

std::string Engine::Impl::Save() const {
  std::string out(kStateMagic);
  ByteWriter writer(out);
  const auto& rules = ruleset->rules().rules();
  const auto remembers = [&](const auto& rule) {
    const RuleMemory& m = memory[rule->index];
    return m.fired > 0 || m.last_alert;
  };
  writer.Number(static_cast<uint64_t>(std::count_if(rules.begin(), rules.end(), remembers)));
  for (const auto& rule : rules) {
    if (!remembers(rule)) continue;
    const RuleMemory& m = memory[rule->index];
    writer.Signed(rule->id);
    writer.Number(rule->fingerprint);
    writer.Number(m.fired);
    writer.Number(m.last_alert ? 1 : 0);
    writer.Signed(m.last_alert.value_or(0));
  }
  correlator->Save(out);
  return out;
}

bool Engine::Impl::Restore(std::string_view bytes) {
  if (!bytes.starts_with(kStateMagic)) return false;
  bytes.remove_prefix(kStateMagic.size());
  constexpr size_t kBytesPerRule = 5 * 8;
  constexpr uint64_t kLatestTime = uint64_t{1} << 40;
  std::vector<RuleMemory> restored(memory.size());
  ByteReader reader(bytes);
  const size_t count = reader.Count(kBytesPerRule);
  for (size_t i = 0; i < count && reader.ok(); ++i) {
    const Rule* rule = ruleset->rules().Find(static_cast<int>(reader.Signed()));
    const uint64_t fingerprint = reader.Number();
    RuleMemory saved;
    saved.fired = reader.Number();
    const bool has_time = reader.Limited(1) != 0;
    const auto time = static_cast<base::Seconds>(reader.Limited(kLatestTime));
    if (has_time) saved.last_alert = time;
    if (rule != nullptr && rule->fingerprint == fingerprint) restored[rule->index] = saved;
  }
  if (!reader.ok() || !correlator->Restore(bytes.substr(8 + count * kBytesPerRule))) return false;
  memory = std::move(restored);
  return true;
}

Engine::Engine(std::shared_ptr<const Ruleset> ruleset, EngineState& state)
    : impl_(std::make_unique<Impl>(std::move(ruleset), state)) {}

Engine::~Engine() = default;

void Engine::ReadHeader(Event& event) const {
  Predecode(event, impl_->ruleset->options());
  if (!NeedsState(event.kind)) impl_->ruleset->index().Search(event);
}

void Engine::ReadFields(Event& event) const {
  if (NeedsState(event.kind)) return;
  impl_->ruleset->decoders().Decode(event);
  impl_->ruleset->index().SelectRules(event);
}

Verdict Engine::Judge(Event& event, Tracer* tracer) { return impl_->JudgeEvent(event, tracer); }

void Engine::Replace(std::shared_ptr<const Ruleset> ruleset) {
  const std::string saved = impl_->Save();
  impl_->ruleset = std::move(ruleset);
  impl_->UseRules();
  impl_->Restore(saved);
}

const Ruleset& Engine::ruleset() const { return *impl_->ruleset; }

std::vector<Engine::FiredRule> Engine::TakeFired() {
  std::vector<FiredRule> fired;
  for (const Rule* rule : impl_->ruleset->rules().InTreeOrder()) {
    uint64_t& times = impl_->memory[rule->index].fired;
    if (times > 0) fired.push_back({rule, std::exchange(times, 0)});
  }
  return fired;
}

uint64_t Engine::forced_evictions() const { return impl_->correlator->forced_evictions(); }

std::string Engine::Save() const { return impl_->Save(); }

bool Engine::Restore(std::string_view bytes) { return impl_->Restore(bytes); }

}  // namespace ospatrol::analysisd
