// Counts earlier events for composite rules (rules-and-decoders 4.9).
//
// The procedure to be equalled walks all remembered events of a rule or group, newest to oldest,
// and stops at the first one that is too old or, among those that pass the same_ and different_
// tests, is already used by a rule of this level or higher. Walking costs as much as there are
// events of other sources, so an attacker could make it dear, or push the events of a slow source
// out of a list of fixed length. Here each composite rule has its events apart by the tuple of its
// same_ values:
//
//   rule 5720: (10.1.1.1) -> ring of events, oldest to newest
//              (10.2.2.2) -> ring of events
//
// Within a ring every same_ test holds, so without different_ tests the answer needs only the event
// N places before the end and the newest mark: constant time, and a ring needs no more than N + 1
// events (ring_table.h). With one different_ test the ring knows its events by value, and the
// answer takes a few binary searches (event_ring.h). Only a rule with several different_ tests
// walks its ring: at most sid_prev_matched_max (128) events, or memory_size (8,192) for the other
// kinds, of one tuple of same_ values. An event that several rules count is one object: the mark
// that says "used by a rule of level L" belongs to the event (past_events.h).
//
// A history holds more than the processor's caches do, so what an event costs is counted in cache
// lines. To ask takes two, of the table and of the ring. To record one takes those of its rings,
// and for each full one half a line of the event that goes; texts of old events are not read.
//
// Events go when they are clearly older than the longest time frame of any composite rule, or when
// their ring is full. Rings are bounded by sid_prev_matched_max (kSid) or memory_size (others), the
// whole history by kMaxBytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/block_pool.h"
#include "analysisd/event.h"
#include "analysisd/past_events.h"
#include "analysisd/ring_table.h"
#include "analysisd/rule_set.h"
#include "analysisd/ruleset.h"

namespace ospatrol::analysisd {

// Judging thread only.
class Correlator {
 public:
  static constexpr size_t kMaxBytes = size_t{256} << 20;
  static constexpr size_t kMaxLogs = 11;

  // `rules` must outlive it.
  Correlator(const RuleSet& rules, const EngineOptions& options);
  ~Correlator();
  Correlator(const Correlator&) = delete;
  Correlator& operator=(const Correlator&) = delete;

  // Were enough earlier events recorded for `rule` and this event? If so, what was counted is
  // marked as used, `mark` becomes the rule's level (the event's own mark, to be given to Record)
  // and `logs` the earlier texts, newest first. Otherwise nothing changes. REQUIRES:
  // rule.correlation.
  bool Counts(const Rule& rule, const Event& event, int& mark, std::vector<std::string>& logs);

  // How many earlier events were counted when Counts() said no; never more than it takes. For
  // people who ask why.
  size_t Found(const Rule& rule, const Event& event);

  // Remembers the event for the rules that count it. `rule` is its final rule.
  void Record(const Event& event, const Rule& rule, int mark);

  // Events that were dropped although they were inside the time frame.
  uint64_t forced_evictions() const { return forced_evictions_; }
  size_t size() const { return history_.size(); }

  // The history as bytes, and back: bounds-checked, false and unchanged when they are not of this
  // form. Events are counted again only for rules that are as they were, and only when their own
  // final rule is as it was.
  void Save(std::string& out) const;
  bool Restore(std::string_view bytes);

 private:
  struct Counter;  // one composite rule
  struct Place {   // that an event gets
    Counter* counter;
    Ring* ring;
  };

  void AddCounter(const Rule& rule);
  void ListCounters();
  uint32_t IndexOf(const ComparedValue& value);
  std::span<Counter* const> CountersOf(const Rule& rule) const {
    return std::span(counters_of_rules_)
        .subspan(first_counter_[rule.index],
                 first_counter_[rule.index + 1] - first_counter_[rule.index]);
  }

  Ring* FindRing(const Counter& counter, const Event& event);
  bool Suffices(Counter& counter, const Ring& ring, const Event& event);
  size_t CountIn(Counter& counter, const Ring& ring, const Event& event);
  size_t Walk(const Counter& counter, const Ring& ring, uint64_t barrier, const Event& event);
  void Mark(Past& past, int level);
  void MarkIn(Ring& ring, uint64_t sequence, int level);

  template <typename Get>
  void TakePlace(Counter& counter, const Get& get, Category category, base::Seconds time);
  template <typename Get>
  void Remember(const PastEvents::Facts& facts, const Get& get);
  template <typename Get>
  std::string_view KeyOf(const Counter& counter, const Get& get, Category category);
  static void ValuesOf(const Counter& counter, std::string_view key,
                       std::vector<std::string_view>& values);
  void EvictOld(base::Seconds now);
  void EvictToSize();
  void Forget(Past& past);
  void DropOldest(Ring& ring);
  void Clear();
  size_t bytes() const { return pool_.bytes() + rings_.bytes(); }

  const RuleSet& rules_;
  size_t max_sid_events_;
  size_t max_other_events_;
  int64_t longest_timeframe_ = 0;
  std::vector<ComparedValue> compared_;  // every value that any composite rule compares
  std::vector<Counter> counters_;
  std::vector<Counter*> counter_by_rule_;  // by Rule::index; null: not a composite rule
  // Those that record an event, by Rule::index of its final rule: a part of counters_of_rules_.
  std::vector<uint32_t> first_counter_;
  std::vector<Counter*> counters_of_rules_;

  BlockPool pool_;
  RingTable rings_;
  PastEvents history_;
  uint64_t last_sequence_ = 0;
  uint64_t forced_evictions_ = 0;

  // Reused.
  std::string key_;
  std::vector<PastEvent*> counted_;  // newest first
  std::vector<Place> places_;        // of the event that is recorded, with its rings
  std::vector<Ring*> place_rings_;
  std::vector<PastValue> values_;
};

}  // namespace ospatrol::analysisd
