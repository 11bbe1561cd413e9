#include "analysisd/correlator.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>

#include "analysisd/state_bytes.h"

namespace ospatrol::analysisd {
namespace {

// Texts of which some may be unset, in one allocation.
class PackedValues {
 public:
  PackedValues() = default;
  explicit PackedValues(const std::vector<std::string_view>& values) {
    ends_.reserve(values.size());
    for (const std::string_view value : values) {
      if (IsSet(value)) bytes_.append(value);
      ends_.push_back(static_cast<uint32_t>(bytes_.size()) << 1 | (IsSet(value) ? 1u : 0u));
    }
  }

  std::string_view Get(size_t i) const {
    if ((ends_[i] & 1) == 0) return {};
    const size_t begin = i == 0 ? 0 : ends_[i - 1] >> 1;
    return std::string_view(bytes_).substr(begin, (ends_[i] >> 1) - begin);
  }
  size_t size() const { return ends_.size(); }
  size_t bytes() const { return bytes_.size() + ends_.size() * sizeof(uint32_t); }

 private:
  std::string bytes_;
  std::vector<uint32_t> ends_;  // end << 1 | is set
};

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// Answers "which is the newest event of a list that is older than T?" also when the clock was set
// back: of the times seen, those that no later one undercuts, so both columns ascend.
class TimeLine {
 public:
  void Add(int64_t time, uint64_t sequence, int64_t keep_from) {
    while (!points_.empty() && points_.back().time >= time) points_.pop_back();
    points_.push_back({time, sequence});
    while (points_.size() > 1 && points_[1].time < keep_from) points_.pop_front();
  }
  // Sequence number of the newest event with a time before `time`; 0 = none.
  uint64_t NewestBefore(int64_t time) const {
    const auto after = std::lower_bound(points_.begin(), points_.end(), time,
                                        [](const Point& p, int64_t t) { return p.time < t; });
    return after == points_.begin() ? 0 : std::prev(after)->sequence;
  }
  void Clear() { points_.clear(); }

 private:
  struct Point {
    int64_t time;
    uint64_t sequence;
  };
  std::deque<Point> points_;
};

// A clock that is set back by up to this much finds the events that it had passed.
constexpr int64_t kClockSlack = 300;

constexpr size_t kBytesPerEvent = 384;  // of list node, rings and strings, roughly

}  // namespace

struct Correlator::Past : PastEvent {
  int64_t time = 0;
  uint64_t sequence = 0;
  int mark = 0;  // level of the highest rule that used it
  const Rule* rule = nullptr;
  Category category = Category::kSyslog;
  std::string full_log;
  PackedValues values;  // by position in compared_
  std::vector<Ring*> rings;
  std::list<Past>::iterator self;

  size_t bytes() const { return kBytesPerEvent + full_log.size() + values.bytes(); }
};

struct Correlator::Ring {
  Counter* counter = nullptr;
  const std::string* key = nullptr;
  EventRing events;
};

struct Correlator::Counter {
  const Rule* rule = nullptr;
  std::vector<size_t> same;       // positions in compared_
  std::vector<size_t> different;  // the same
  size_t capacity = 0;            // of a ring
  bool bounded = false;           // capacity is a limit, not just all that is ever needed
  TimeLine times;
  std::unordered_map<std::string, Ring, TextHash, std::equal_to<>> rings;

  size_t Needed() const { return static_cast<size_t>(rule->frequency) + 1; }
  bool IsRegex() const { return rule->correlation->kind == Correlation::Kind::kRegex; }

  // The tuple by which rings are kept, false when a compared value is missing: every test on it
  // fails.
  template <typename Get>
  bool Key(const Get& get, Category category, std::string& key) const {
    key.clear();
    if (IsRegex()) key += static_cast<char>(category);
    for (const size_t i : same) {
      const std::string_view value = get(i);
      if (!IsSet(value)) return false;
      const auto size = static_cast<uint32_t>(value.size());
      for (int shift = 0; shift < 32; shift += 8) key += static_cast<char>(size >> shift & 0xff);
      key.append(value);
    }
    return std::all_of(different.begin(), different.end(), [&](size_t i) { return IsSet(get(i)); });
  }
};

Correlator::Correlator(const RuleSet& rules, const EngineOptions& options)
    : rules_(rules),
      max_sid_events_(static_cast<size_t>(std::max(options.sid_prev_matched_max, 1))),
      max_other_events_(static_cast<size_t>(std::max(options.memory_size, 1))),
      counter_by_rule_(rules.rules().size()) {
  for (const Rule* rule : rules.CompositeRules()) {
    counters_.push_back(MakeCounter(*rule));
    counter_by_rule_[rule->index] = counters_.back().get();
    longest_timeframe_ = std::max<int64_t>(longest_timeframe_, rule->timeframe);
  }
}

Correlator::~Correlator() = default;

size_t Correlator::IndexOf(const ComparedValue& value) {
  const auto found = std::find(compared_.begin(), compared_.end(), value);
  if (found != compared_.end()) return static_cast<size_t>(found - compared_.begin());
  compared_.push_back(value);
  return compared_.size() - 1;
}

std::unique_ptr<Correlator::Counter> Correlator::MakeCounter(const Rule& rule) {
  auto counter = std::make_unique<Counter>();
  counter->rule = &rule;
  const Correlation& correlation = *rule.correlation;
  for (const ComparedValue& value : correlation.same) counter->same.push_back(IndexOf(value));
  for (const ComparedValue& value : correlation.different) {
    counter->different.push_back(IndexOf(value));
  }
  const size_t limit =
      correlation.kind == Correlation::Kind::kSid ? max_sid_events_ : max_other_events_;
  counter->bounded = !counter->different.empty() || counter->Needed() > limit;
  counter->capacity = counter->bounded ? limit : counter->Needed();
  return counter;
}

// nullptr: no earlier event has the same values, or this one lacks one.
const EventRing* Correlator::FindRing(const Counter& counter, const Event& event) {
  const auto value = [&](size_t i) { return compared_[i].Of(event); };
  if (!counter.Key(value, event.category, key_)) return nullptr;
  const auto found = counter.rings.find(std::string_view(key_));
  return found == counter.rings.end() ? nullptr : &found->second.events;
}

bool Correlator::Counts(const Rule& rule, const Event& event, int& mark,
                        std::vector<std::string>& logs) {
  const Counter* const counter = counter_by_rule_[rule.index];
  // Every event has at least the mark 0, so a rule of level 0 finds all of them used.
  if (counter == nullptr || rule.level <= 0) return false;
  const EventRing* const ring = FindRing(*counter, event);
  if (ring == nullptr || ring->size() < counter->Needed()) return false;
  if (CountIn(*ring, *counter, event) < counter->Needed()) return false;

  logs.clear();
  // Only searches by rule id show the event that reached the threshold.
  const size_t shown =
      rule.correlation->kind == Correlation::Kind::kSid ? counter->Needed() : counter->Needed() - 1;
  for (size_t i = 0; i < std::min({shown, counted_.size(), kMaxLogs}); ++i) {
    logs.push_back(static_cast<const Past*>(counted_[i])->full_log);
  }
  Mark(static_cast<Past&>(*counted_.front()), rule.level);
  mark = rule.level;
  return true;
}

size_t Correlator::Found(const Rule& rule, const Event& event) {
  const Counter* const counter = counter_by_rule_[rule.index];
  if (counter == nullptr || rule.level <= 0) return 0;
  const EventRing* const ring = FindRing(*counter, event);
  return ring == nullptr ? 0 : std::min(CountIn(*ring, *counter, event), counter->Needed());
}

// Enough events leave the newest of them in counted_.
size_t Correlator::CountIn(const EventRing& ring, const Counter& counter, const Event& event) {
  const Rule& rule = *counter.rule;
  const size_t needed = counter.Needed();
  const size_t texts = std::min(needed, kMaxLogs);
  counted_.clear();
  const uint64_t barrier = counter.times.NewestBefore(event.time - rule.timeframe);
  if (counter.different.size() > 1) return Walk(ring, counter, barrier, event);
  if (counter.different.empty()) {
    const size_t count = ring.Count(barrier, rule.level);
    for (size_t i = 0; count >= needed && i < texts; ++i) counted_.push_back(&ring.FromNewest(i));
    return count;
  }
  const std::string_view value = compared_[counter.different[0]].Of(event);
  const size_t count = ring.CountOthers(value, barrier, rule.level);
  if (count >= needed) ring.NewestOthers(value, texts, counted_);
  return count;
}

// Several different_ tests: newest to oldest, as far as the ring goes.
size_t Correlator::Walk(const EventRing& ring, const Counter& counter, uint64_t barrier,
                        const Event& event) {
  size_t count = 0;
  for (size_t i = 0; i < ring.size() && count < counter.Needed(); ++i) {
    if (ring.SequenceFromNewest(i) <= barrier) break;
    PastEvent& entry = ring.FromNewest(i);
    const auto& past = static_cast<const Past&>(entry);
    const bool differs = std::none_of(
        counter.different.begin(), counter.different.end(),
        [&](size_t value) { return past.values.Get(value) == compared_[value].Of(event); });
    if (!differs) continue;
    if (past.mark >= counter.rule->level) break;
    if (counted_.size() < kMaxLogs) counted_.push_back(&entry);
    ++count;
  }
  return count;
}

void Correlator::Mark(Past& past, int level) {
  past.mark = level;
  for (Ring* ring : past.rings) ring->events.AddMark(past.sequence, level);
}

void Correlator::Record(const Event& event, const Rule& rule, int mark) {
  const auto by_rule = rules_.CountersOf(rule);
  const auto by_text = rules_.RegexCounters();
  if (by_rule.empty() && by_text.empty()) return;
  EvictOld(event.time);
  const uint64_t sequence = ++last_sequence_;
  const auto value = [&](size_t i) { return compared_[i].Of(event); };
  Past* past = nullptr;
  const auto add = [&](const Rule& composite) {
    Counter& counter = *counter_by_rule_[composite.index];
    counter.times.Add(event.time, sequence, event.time - composite.timeframe - kClockSlack);
    if (!counter.Key(value, event.category, key_)) return;
    if (counter.IsRegex() && !composite.correlation->pattern->Matches(event.log)) return;
    if (past == nullptr) past = &Remember(event, rule, mark);
    Insert(counter, *past);
  };
  for (const Rule* composite : by_rule) add(*composite);
  for (const Rule* composite : by_text) add(*composite);
  EvictToSize();
}

Correlator::Past& Correlator::Remember(const Event& event, const Rule& rule, int mark) {
  values_.clear();
  for (const ComparedValue& value : compared_) values_.push_back(value.Of(event));
  Past& past = history_.emplace_back();
  past.time = event.time;
  past.sequence = last_sequence_;
  past.mark = mark;
  past.rule = &rule;
  past.category = event.category;
  past.full_log = event.full_log;
  past.values = PackedValues(values_);
  past.self = std::prev(history_.end());
  bytes_ += past.bytes();
  return past;
}

// REQUIRES: key_ is the counter's key of `past`.
void Correlator::Insert(Counter& counter, Past& past) {
  const auto [place, is_new] = counter.rings.try_emplace(key_);
  Ring& ring = place->second;
  if (is_new) {
    ring.counter = &counter;
    ring.key = &place->first;
  }
  const bool by_value = counter.different.size() == 1;
  ring.events.Add(past, past.sequence,
                  by_value ? past.values.Get(counter.different[0]) : std::string_view(), past.mark);
  past.rings.push_back(&ring);
  if (ring.events.size() <= counter.capacity) return;
  const int64_t oldest = past.time - counter.rule->timeframe;
  if (counter.bounded && static_cast<const Past&>(ring.events.oldest()).time >= oldest) {
    ++forced_evictions_;
  }
  DropFront(ring);
}

void Correlator::DropFront(Ring& ring) {
  Past& past = static_cast<Past&>(ring.events.oldest());
  ring.events.DropOldest();
  std::erase(past.rings, &ring);
  if (past.rings.empty()) {
    bytes_ -= past.bytes();
    history_.erase(past.self);
  }
  if (!ring.events.empty()) return;
  // Erasing by a reference into the node itself would read it after its end.
  const auto node = ring.counter->rings.find(*ring.key);
  ring.counter->rings.erase(node);
}

// The oldest event of the history is the first in each of its rings.
void Correlator::Forget(Past& past) {
  for (size_t left = past.rings.size(); left > 0; --left) DropFront(*past.rings.back());
}

void Correlator::EvictOld(int64_t now) {
  while (!history_.empty() && history_.front().time < now - longest_timeframe_ - kClockSlack) {
    Forget(history_.front());
  }
}

void Correlator::EvictToSize() {
  while (bytes_ > kMaxBytes && history_.size() > 1) {
    ++forced_evictions_;
    Forget(history_.front());
  }
}

void Correlator::Clear() {
  for (const auto& counter : counters_) {
    counter->rings.clear();
    counter->times.Clear();
  }
  history_.clear();
  bytes_ = 0;
}

void Correlator::Save(std::string& out) const {
  ByteWriter writer(out);
  writer.Number(compared_.size());
  for (const ComparedValue& value : compared_) writer.Text(value.Name());
  writer.Number(counters_.size());
  for (const auto& counter : counters_) {
    writer.Signed(counter->rule->id);
    writer.Number(counter->rule->fingerprint);
  }
  writer.Number(history_.size());
  for (const Past& past : history_) {
    writer.Signed(past.time);
    writer.Signed(past.mark);
    writer.Signed(past.rule->id);
    writer.Number(past.rule->fingerprint);
    writer.Number(static_cast<uint64_t>(past.category));
    writer.Text(past.full_log);
    for (size_t i = 0; i < past.values.size(); ++i) {
      const std::string_view value = past.values.Get(i);
      writer.Number(IsSet(value) ? 1 : 0);
      if (IsSet(value)) writer.Text(value);
    }
    writer.Number(past.rings.size());
    for (const Ring* ring : past.rings) writer.Signed(ring->counter->rule->id);
  }
}

bool Correlator::Restore(std::string_view bytes) {
  struct Saved {
    int64_t time;
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
    Past& past = history_.emplace_back();
    past.time = saved.time;
    past.sequence = ++last_sequence_;
    past.mark = saved.mark;
    past.rule = saved.rule;
    past.category = saved.category;
    past.full_log = saved.full_log;
    past.values = PackedValues(saved.values);
    past.self = std::prev(history_.end());
    bytes_ += past.bytes();
    const auto value = [&](size_t i) { return past.values.Get(i); };
    for (Counter* counter : saved.counters) {
      counter->times.Add(past.time, past.sequence,
                         past.time - counter->rule->timeframe - kClockSlack);
      if (counter->Key(value, past.category, key_)) Insert(*counter, past);
    }
    if (past.rings.empty()) {
      bytes_ -= past.bytes();
      history_.pop_back();
    }
  }
  EvictToSize();
  return true;
}

}  // namespace ospatrol::analysisd
