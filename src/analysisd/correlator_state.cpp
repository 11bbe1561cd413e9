// The history as bytes, for an orderly stop and the next start.
#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "analysisd/correlator.h"
#include "analysisd/correlator_counter.h"
#include "analysisd/state_bytes.h"

namespace ospatrol::analysisd {

namespace {

// It was put into the ring; is it still there?
bool Holds(const Ring& ring, const Past& past) { return ring.oldest <= past.sequence(); }

}  // namespace

// The values of an event that `key` was made of, by position in compared_.
void Correlator::ValuesOf(const Counter& counter, std::string_view key,
                          std::vector<std::string_view>& values) {
  if (counter.only_same != Counter::kNoValue) {
    values[counter.only_same] = key;
    return;
  }
  if (counter.by_category) key.remove_prefix(1);
  for (const uint32_t position : counter.same) {
    uint32_t size = 0;
    std::memcpy(&size, key.data(), sizeof size);
    values[position] = key.substr(sizeof size, size);
    key.remove_prefix(sizeof size + size);
  }
}

void Correlator::Save(std::string& out) const {
  ByteWriter writer(out);
  writer.Number(compared_.size());
  for (const ComparedValue& value : compared_) writer.Text(value.Name());
  writer.Number(counters_.size());
  for (const Counter& counter : counters_) {
    writer.Signed(counter.rule->id);
    writer.Number(counter.rule->fingerprint);
  }
  writer.Number(history_.size());
  std::vector<std::string_view> values;
  for (const Past* past = history_.oldest(); past != nullptr; past = past->newer()) {
    writer.Signed(past->time());
    writer.Signed(past->mark);
    writer.Signed(past->rule().id);
    writer.Number(past->rule().fingerprint);
    writer.Number(static_cast<uint64_t>(past->category()));
    writer.Text(past->full_log());
    values.assign(compared_.size(), {});
    for (const Ring* ring : past->rings()) {
      if (!Holds(*ring, *past)) continue;
      const Counter& counter = counters_[ring->counter];
      ValuesOf(counter, ring->key(), values);
      for (const uint32_t position : counter.different) values[position] = past->Value(position);
    }
    for (const std::string_view value : values) {
      writer.Number(IsSet(value) ? 1 : 0);
      if (IsSet(value)) writer.Text(value);
    }
    writer.Number(past->rings_left);
    for (const Ring* ring : past->rings()) {
      if (Holds(*ring, *past)) writer.Signed(counters_[ring->counter].rule->id);
    }
  }
}

bool Correlator::Restore(std::string_view bytes) {
  struct Saved {
    base::Seconds time;
    int mark;
    const Rule* rule;  // null: gone or changed
    Category category;
    std::string_view full_log;
    std::vector<std::string_view> values;  // by position in compared_
    std::vector<Counter*> counters;
  };
  constexpr uint64_t kMaxLevel = 9999;
  constexpr uint64_t kLatestTime = uint64_t{1} << 40;
  ByteReader reader(bytes);

  // Positions of the saved values in compared_.
  std::vector<size_t> position(reader.Count(8));
  for (size_t& place : position) {
    const std::string_view name = reader.Text();
    const auto found = std::find_if(compared_.begin(), compared_.end(),
                                    [&](const ComparedValue& v) { return v.Name() == name; });
    place = static_cast<size_t>(found - compared_.begin());
  }
  // Composite rules that are as they were.
  std::unordered_map<int64_t, Counter*> kept;
  for (size_t left = reader.Count(16); left > 0 && reader.ok(); --left) {
    const int64_t id = reader.Signed();
    const uint64_t fingerprint = reader.Number();
    const Rule* rule = rules_.Find(static_cast<int>(id));
    if (rule == nullptr || rule->fingerprint != fingerprint) continue;
    if (Counter* counter = counter_by_rule_[rule->index]) kept.emplace(id, counter);
  }

  std::vector<Saved> events;
  for (size_t left = reader.Count(8 * 7); left > 0 && reader.ok(); --left) {
    Saved saved{};
    saved.time = static_cast<int64_t>(reader.Limited(kLatestTime));
    saved.mark = static_cast<int>(reader.Limited(kMaxLevel));
    saved.rule = rules_.Find(static_cast<int>(reader.Signed()));
    if (const uint64_t print = reader.Number();
        saved.rule != nullptr && saved.rule->fingerprint != print) {
      saved.rule = nullptr;
    }
    saved.category = static_cast<Category>(reader.Limited(static_cast<uint64_t>(Category::kOssec)));
    saved.full_log = reader.Text();
    saved.values.resize(compared_.size());
    for (const size_t place : position) {
      if (reader.Limited(1) == 0) continue;
      const std::string_view value = reader.Text();
      if (place < saved.values.size()) saved.values[place] = value;
    }
    for (size_t rings = reader.Count(8); rings > 0; --rings) {
      const auto counter = kept.find(reader.Signed());
      if (counter == kept.end()) continue;
      if (std::find(saved.counters.begin(), saved.counters.end(), counter->second) ==
          saved.counters.end()) {
        saved.counters.push_back(counter->second);
      }
    }
    if (saved.rule != nullptr && !saved.counters.empty()) events.push_back(std::move(saved));
  }
  if (!reader.ok() || !reader.AtEnd()) return false;

  Clear();
  for (const Saved& saved : events) {
    const uint64_t sequence = ++last_sequence_;
    const auto get = [&](uint32_t i) { return saved.values[i]; };
    places_.clear();
    for (Counter* counter : saved.counters) {
      counter->times.Add(saved.time, sequence, saved.time - counter->timeframe - kClockSlack);
      TakePlace(*counter, get, saved.category, saved.time);
    }
    if (places_.empty()) continue;
    Remember({.time = saved.time,
              .sequence = sequence,
              .rule = saved.rule,
              .category = saved.category,
              .mark = saved.mark,
              .full_log = saved.full_log},
             get);
  }
  EvictToSize();
  return true;
}

}  // namespace ospatrol::analysisd
