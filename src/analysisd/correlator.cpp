#include "analysisd/correlator.h"

#include <algorithm>

#include "analysisd/correlator_counter.h"

namespace ospatrol::analysisd {

Correlator::Correlator(const RuleSet& rules, const EngineOptions& options)
    : rules_(rules),
      max_sid_events_(static_cast<size_t>(std::max(options.sid_prev_matched_max, 1))),
      max_other_events_(static_cast<size_t>(std::max(options.memory_size, 1))),
      counter_by_rule_(rules.rules().size()),
      rings_(pool_),
      history_(pool_) {
  counters_.reserve(rules.CompositeRules().size());  // they are pointed at
  for (const Rule* rule : rules.CompositeRules()) {
    AddCounter(*rule);
    counter_by_rule_[rule->index] = &counters_.back();
    longest_timeframe_ = std::max<int64_t>(longest_timeframe_, rule->timeframe);
  }
  ListCounters();
}

Correlator::~Correlator() = default;

void Correlator::AddCounter(const Rule& rule) {
  Counter& counter = counters_.emplace_back();
  counter.rule = &rule;
  counter.number = static_cast<uint32_t>(counters_.size() - 1);
  const Correlation& correlation = *rule.correlation;
  for (const ComparedValue& value : correlation.same) counter.same.push_back(IndexOf(value));
  for (const ComparedValue& value : correlation.different) {
    counter.different.push_back(IndexOf(value));
  }
  counter.level = rule.level;
  counter.timeframe = rule.timeframe;
  counter.needed = static_cast<uint32_t>(rule.frequency) + 1;
  const size_t limit =
      correlation.kind == Correlation::Kind::kSid ? max_sid_events_ : max_other_events_;
  counter.bounded = !counter.different.empty() || counter.needed > limit;
  counter.capacity = counter.bounded ? static_cast<uint32_t>(limit) : counter.needed;
  counter.by_category = correlation.kind == Correlation::Kind::kRegex;
  counter.by_value = counter.different.size() == 1;
  if (counter.same.size() == 1 && !counter.by_category) counter.only_same = counter.same[0];
}

uint32_t Correlator::IndexOf(const ComparedValue& value) {
  const auto found = std::find(compared_.begin(), compared_.end(), value);
  const auto index = static_cast<uint32_t>(found - compared_.begin());
  if (found == compared_.end()) compared_.push_back(value);
  return index;
}

void Correlator::ListCounters() {
  first_counter_.reserve(rules_.rules().size() + 1);
  for (const auto& rule : rules_.rules()) {
    first_counter_.push_back(static_cast<uint32_t>(counters_of_rules_.size()));
    for (const auto& composites : {rules_.CountersOf(*rule), rules_.RegexCounters()}) {
      for (const Rule* composite : composites) {
        counters_of_rules_.push_back(counter_by_rule_[composite->index]);
      }
    }
  }
  first_counter_.push_back(static_cast<uint32_t>(counters_of_rules_.size()));
}

// nullptr: no earlier event has the same values, or this one lacks one.
Ring* Correlator::FindRing(const Counter& counter, const Event& event) {
  const auto get = [&](uint32_t i) { return compared_[i].Of(event); };
  const std::string_view key = KeyOf(counter, get, event.category);
  return IsSet(key) ? rings_.Find(counter.number, key) : nullptr;
}

bool Correlator::Counts(const Rule& rule, const Event& event, int& mark,
                        std::vector<std::string>& logs) {
  Counter* const counter = counter_by_rule_[rule.index];
  // Every event has at least the mark 0, so a rule of level 0 finds all of them used.
  if (counter == nullptr || rule.level <= 0) return false;
  const Ring* const ring = FindRing(*counter, event);
  if (ring == nullptr || !Suffices(*counter, *ring, event)) return false;

  logs.clear();
  // Only searches by rule id show the event that reached the threshold.
  const size_t shown =
      rule.correlation->kind == Correlation::Kind::kSid ? counter->needed : counter->needed - 1;
  const size_t count = std::min({shown, counted_.size(), kMaxLogs});
  // Their texts were not touched since they came: they are fetched at the same time.
  for (size_t i = 0; i < count; ++i) static_cast<const Past*>(counted_[i])->Prefetch();
  logs.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    logs.emplace_back(static_cast<const Past*>(counted_[i])->full_log());
  }
  Mark(static_cast<Past&>(*counted_.front()), rule.level);
  mark = rule.level;
  return true;
}

// If so, the newest of those that count are in counted_.
bool Correlator::Suffices(Counter& counter, const Ring& ring, const Event& event) {
  if (ring.size < counter.needed) return false;
  // Without different_ tests a ring that is large enough has as many as are needed, no more.
  if (counter.different.empty()) {
    const uint64_t barrier = counter.times.NewestBefore(event.time - counter.timeframe);
    if (ring.oldest <= std::max(barrier, ring.used_until)) return false;
  }
  return CountIn(counter, ring, event) >= counter.needed;
}

size_t Correlator::Found(const Rule& rule, const Event& event) {
  Counter* const counter = counter_by_rule_[rule.index];
  if (counter == nullptr || rule.level <= 0) return 0;
  const Ring* const ring = FindRing(*counter, event);
  if (ring == nullptr) return 0;
  return std::min<size_t>(CountIn(*counter, *ring, event), counter->needed);
}

// Enough events leave the newest of them in counted_.
size_t Correlator::CountIn(Counter& counter, const Ring& ring, const Event& event) {
  const size_t needed = counter.needed;
  const size_t texts = std::min(needed, kMaxLogs);
  counted_.clear();
  const uint64_t barrier = counter.times.NewestBefore(event.time - counter.timeframe);
  if (counter.different.empty()) {
    const size_t count = ring.CountNewer(std::max(barrier, ring.used_until));
    for (uint32_t i = 0; count >= needed && i < texts; ++i) {
      counted_.push_back(&ring.FromNewest(i));
    }
    return count;
  }
  if (!counter.by_value) return Walk(counter, ring, barrier, event);
  const std::string_view value = compared_[counter.different[0]].Of(event);
  const size_t count = ring.by_value->CountOthers(value, barrier, counter.level);
  if (count >= needed) ring.by_value->NewestOthers(value, texts, counted_);
  return count;
}

// Several different_ tests: newest to oldest, as far as the ring goes.
size_t Correlator::Walk(const Counter& counter, const Ring& ring, uint64_t barrier,
                        const Event& event) {
  size_t count = 0;
  for (uint32_t i = 0; i < ring.size && count < counter.needed; ++i) {
    if (ring.SequenceFromNewest(i) <= barrier) break;
    Past& past = ring.FromNewest(i);
    const bool differs = std::none_of(
        counter.different.begin(), counter.different.end(),
        [&](uint32_t value) { return past.Value(value) == compared_[value].Of(event); });
    if (!differs) continue;
    if (past.mark >= counter.level) break;
    if (counted_.size() < kMaxLogs) counted_.push_back(&past);
    ++count;
  }
  return count;
}

void Correlator::Mark(Past& past, int level) {
  past.mark = static_cast<int16_t>(level);
  for (Ring* ring : past.rings()) MarkIn(*ring, past.sequence(), level);
}

// Nothing happens in a ring that has dropped the event: what it has is newer.
void Correlator::MarkIn(Ring& ring, uint64_t sequence, int level) {
  if (ring.by_value == nullptr) {
    if (level < counters_[ring.counter].level) return;
    ring.used_until = std::max(ring.used_until, sequence);
  } else if (ring.oldest <= sequence) {
    ring.by_value->AddMark(sequence, level);
  }
}

void Correlator::Record(const Event& event, const Rule& rule, int mark) {
  const std::span<Counter* const> counters = CountersOf(rule);
  if (counters.empty()) return;
  EvictOld(event.time);
  const uint64_t sequence = ++last_sequence_;
  const auto get = [&](uint32_t i) { return compared_[i].Of(event); };
  places_.clear();
  for (Counter* const counter : counters) {
    counter->times.Add(event.time, sequence, event.time - counter->timeframe - kClockSlack);
    if (counter->by_category && !counter->rule->correlation->pattern->Matches(event.log)) continue;
    TakePlace(*counter, get, event.category, event.time);
  }
  if (places_.empty()) return;
  Remember({.time = event.time,
            .sequence = sequence,
            .rule = &rule,
            .category = event.category,
            .mark = mark,
            .full_log = event.full_log},
           get);
  EvictToSize();
}

void Correlator::DropOldest(Ring& ring) {
  Past& past = rings_.TakeOldest(ring);
  if (--past.rings_left == 0) history_.Remove(past);
}

// REQUIRES: `past` is the oldest event, so in each of its rings that still have it, it is the
// first. A ring ends with the last event that was put into it, so all of them are still there.
void Correlator::Forget(Past& past) {
  ++past.rings_left;  // until all its rings were looked at
  for (Ring* ring : past.rings()) {
    if (ring->oldest != past.sequence()) continue;
    DropOldest(*ring);
    if (ring->size == 0) rings_.Erase(*ring);
  }
  history_.Remove(past);
}

void Correlator::EvictOld(base::Seconds now) {
  while (history_.size() > 0 &&
         history_.oldest()->time() < now - longest_timeframe_ - kClockSlack) {
    Forget(*history_.oldest());
  }
}

void Correlator::EvictToSize() {
  while (bytes() > kMaxBytes && history_.size() > 1) {
    ++forced_evictions_;
    Forget(*history_.oldest());
  }
}

void Correlator::Clear() {
  for (Counter& counter : counters_) counter.times.Clear();
  rings_.Clear();
  while (history_.size() > 0) history_.Remove(*history_.oldest());
}

}  // namespace ospatrol::analysisd
