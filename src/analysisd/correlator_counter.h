// Of correlator.cpp and correlator_state.cpp alone.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/correlator.h"
#include "analysisd/time_line.h"

namespace ospatrol::analysisd {

// A clock that is set back by up to this much finds the events that it had passed.
inline constexpr int64_t kClockSlack = 300;

// What is needed of a composite rule for every event, in one place: the rule itself is large.
struct Correlator::Counter {
  static constexpr uint32_t kNoValue = UINT32_MAX;

  const Rule* rule = nullptr;
  uint32_t number = 0;            // in counters_
  uint32_t needed = 0;            // earlier events
  uint32_t capacity = 0;          // of a ring
  int32_t level = 0;              // of the rule
  base::Seconds timeframe = 0;    // the same
  uint32_t only_same = kNoValue;  // position in compared_ when the key is this one value alone
  bool bounded = false;           // capacity is a limit, not just all that is ever needed
  bool by_category = false;
  bool by_value = false;  // one different_ test
  TimeLine times;
  std::vector<uint32_t> same;       // positions in compared_
  std::vector<uint32_t> different;  // the same
};

// The tuple by which rings are kept; unset when a compared value is missing: every test on it
// fails. `get` gives the value of a position in compared_. Valid until the next call.
template <typename Get>
std::string_view Correlator::KeyOf(const Counter& counter, const Get& get, Category category) {
  for (const uint32_t value : counter.different) {
    if (!IsSet(get(value))) return {};
  }
  // Most rules compare one value, and that is a key as it is.
  if (counter.only_same != Counter::kNoValue) return get(counter.only_same);
  key_.clear();
  if (counter.by_category) key_ += static_cast<char>(category);
  for (const uint32_t i : counter.same) {
    const std::string_view value = get(i);
    if (!IsSet(value)) return {};
    const auto size = static_cast<uint32_t>(value.size());
    key_.append(reinterpret_cast<const char*>(&size), sizeof size);
    key_.append(value);
  }
  return key_;
}

// Adds to places_ the ring of `counter` that an event of these values belongs to, if there is one,
// and makes room in it: what goes away first is reused for what comes.
template <typename Get>
void Correlator::TakePlace(Counter& counter, const Get& get, Category category,
                           base::Seconds time) {
  const std::string_view key = KeyOf(counter, get, category);
  if (!IsSet(key) || places_.size() == Past::kMostRings) return;
  Ring& ring = rings_.FindOrAdd(counter.number, key, counter.by_value);
  places_.push_back({&counter, &ring});
  if (ring.size < counter.capacity) return;
  if (counter.bounded && ring.Oldest().time() >= time - counter.timeframe) {
    ++forced_evictions_;
  }
  DropOldest(ring);
}

// Puts a new event into places_. REQUIRES: there are some.
template <typename Get>
void Correlator::Remember(const PastEvents::Facts& facts, const Get& get) {
  place_rings_.clear();
  values_.clear();
  for (const auto& [counter, ring] : places_) {
    place_rings_.push_back(ring);
    // The others are in the ring's key.
    for (const uint32_t position : counter->different) {
      values_.push_back({position, get(position)});
    }
  }
  Past& past = history_.Add(facts, values_, place_rings_);
  for (const auto& [counter, ring] : places_) {
    const std::string_view value =
        counter->by_value ? get(counter->different[0]) : std::string_view();
    rings_.Append(*ring, past, facts.sequence, value, counter->capacity);
    if (facts.mark > 0 && !counter->by_value) MarkIn(*ring, facts.sequence, facts.mark);
  }
}

}  // namespace ospatrol::analysisd
