// Counting against a naive model: the procedure of rules-and-decoders 4.9 with the marks of
// wazuh4-dialect 2.4, written down as it stands there. It walks whole lists and shares nothing with
// the engine but the rules' text. The engine gets whole lines: several threads decode them, then
// they are judged in order.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "judging.h"

namespace ospatrol::analysisd {
namespace {

constexpr int kSequences = 10'000;
constexpr int kRuleSets = 100;
constexpr unsigned kSeed = 20260812;

// --- what is generated ---

enum Value { kSrcIp, kUser, kUrl, kId, kValues };
constexpr std::array<const char*, kValues> kKey{"src", "usr", "url", "nr"};  // in the line
constexpr std::array<const char*, kValues> kSame{"same_source_ip", "same_user", "same_url",
                                                 "same_id"};
constexpr std::array<const char*, kValues> kDifferent{"different_srcip", "different_user",
                                                      "different_url", "different_id"};

struct ModelEvent {
  int64_t time = 0;
  int base = 0;  // rule 101, 102 or 103
  bool web = false;
  std::string log;
  std::array<std::optional<std::string>, kValues> values;

  int final_rule = 0;
  int matched = 0;
};

enum class Kind { kSid, kGroup, kRegex };

struct Composite {
  int id = 0;
  int level = 0;
  int frequency = 0;
  int timeframe = 0;
  bool noalert = false;
  Kind kind = Kind::kSid;
  int sid = 0;                    // kSid
  std::string group;              // kGroup: "ga" or "gb"
  std::string word;               // kRegex: a word of the log
  std::vector<int> parents;       // base rules below which it hangs
  std::set<int> same, different;  // Value
};

// Base rules: 101 (groups ga), 102 (ga, gb), 103 (web-log, gb). Composite rules have group ga or
// none.
bool InGroup(int base, const std::string& group) {
  if (base == 101) return group == "ga";
  if (base == 102) return true;
  return base == 103 && group == "gb";
}

// --- the model ---

class Model {
 public:
  // `change` is added to every frequency: the mutation that the comparison must notice.
  Model(const std::vector<Composite>& composites, int change)
      : composites_(composites), change_(change) {}

  struct Answer {
    int rule;
    std::vector<std::string> logs;
  };

  Answer Judge(ModelEvent event) {
    events_.push_back(std::make_unique<ModelEvent>(std::move(event)));
    ModelEvent& c = *events_.back();
    std::vector<const Composite*> tried;
    for (const Composite& composite : composites_) {
      if (std::count(composite.parents.begin(), composite.parents.end(), c.base) > 0) {
        tried.push_back(&composite);
      }
    }
    std::stable_sort(tried.begin(), tried.end(),
                     [](const auto* a, const auto* b) { return a->level > b->level; });
    Answer answer{c.base, {}};
    for (const Composite* rule : tried) {
      std::vector<std::string> logs;
      if (!Search(c, *rule, logs)) continue;
      if (rule->noalert) continue;
      answer = {rule->id, logs};
      break;
    }
    c.final_rule = answer.rule;
    recorded_.push_back(&c);
    return answer;
  }

 private:
  bool OnList(const ModelEvent& x, const Composite& rule) const {
    switch (rule.kind) {
      case Kind::kSid:
        return x.final_rule == rule.sid;
      case Kind::kGroup:
        return x.final_rule < 200 ? InGroup(x.final_rule, rule.group)
                                  : x.final_rule < rule.id && rule.group == "ga";
      case Kind::kRegex:
        return true;
    }
    return false;
  }

  static bool PassesTests(const ModelEvent& c, const ModelEvent& x, const Composite& rule) {
    for (const int v : rule.same) {
      const auto i = static_cast<size_t>(v);
      if (!c.values[i] || !x.values[i] || *c.values[i] != *x.values[i]) return false;
    }
    for (const int v : rule.different) {
      const auto i = static_cast<size_t>(v);
      if (!c.values[i] || !x.values[i] || *c.values[i] == *x.values[i]) return false;
    }
    return true;
  }

  bool Search(ModelEvent& c, const Composite& rule, std::vector<std::string>& logs) {
    const int stored = rule.frequency + change_;
    ModelEvent* first = nullptr;
    int n = 0;
    for (auto at = recorded_.rbegin(); at != recorded_.rend(); ++at) {
      ModelEvent& x = **at;
      if (!OnList(x, rule)) continue;
      if (c.time - x.time > rule.timeframe) return false;
      if (rule.kind == Kind::kRegex &&
          (x.web != c.web || x.log.find(rule.word) == std::string::npos)) {
        continue;
      }
      if (!PassesTests(c, x, rule)) continue;
      if (x.matched >= rule.level) return false;
      if (first == nullptr) first = &x;  // the newest counted event; with N = 0 the only one
      if (n <= 10) logs.push_back(x.log);
      if (n < stored) {
        ++n;
        continue;
      }
      // Group and regex searches show the N events before the one that reached the threshold.
      const size_t shown = static_cast<size_t>(rule.kind == Kind::kSid ? stored + 1 : stored);
      if (logs.size() > shown) logs.resize(shown);
      c.matched = rule.level;
      first->matched = rule.level;
      return true;
    }
    return false;
  }

  const std::vector<Composite>& composites_;
  int change_;
  std::vector<std::unique_ptr<ModelEvent>> events_;
  std::vector<ModelEvent*> recorded_;
};

// --- generation ---

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  bool Percent(int percent) { return Below(100) < percent; }

  std::vector<Composite> Composites() {
    std::vector<Composite> composites(static_cast<size_t>(1 + Below(4)));
    int id = 201;
    for (Composite& composite : composites) {
      composite.id = id++;
      composite.level = 6 + Below(4);
      composite.frequency = Percent(10) ? 10 + Below(4) : Below(4);
      composite.timeframe = 10 + Below(60);
      composite.noalert = Percent(10);
      composite.kind = static_cast<Kind>(Below(3));
      composite.sid =
          Percent(20) && composite.id > 201 ? 200 + 1 + Below(composite.id - 201) : 101 + Below(3);
      composite.group = Percent(50) ? "ga" : "gb";
      composite.word = Percent(50) ? "red" : "blue";
      for (int base = 101; base <= 103; ++base) {
        if (Percent(60)) composite.parents.push_back(base);
      }
      if (composite.parents.empty()) composite.parents.push_back(101);
      for (int value = 0; value < kValues; ++value) {
        const int choice = Below(100);
        if (choice < 25) composite.same.insert(value);
        if (choice >= 86) composite.different.insert(value);
      }
    }
    return composites;
  }

  std::vector<ModelEvent> Events() {
    std::vector<ModelEvent> events(static_cast<size_t>(12 + Below(30)));
    const int keys = 1 + Below(3);
    const int pace = 1 + Below(8);
    const bool clock_jumps = Percent(10);
    int64_t time = 1'000'000;
    int number = 0;
    for (ModelEvent& event : events) {
      time += Below(pace);
      if (clock_jumps && Percent(15)) time -= Below(6);
      event.time = time;
      event.base = Percent(70) ? 101 : 102 + Below(2);
      event.web = event.base == 103;
      event.log =
          fmt::format("b{} {} number {}", event.base, Percent(50) ? "red" : "blue", ++number);
      for (size_t i = 0; i < kValues; ++i) {
        if (Percent(7)) continue;
        event.values[i] = fmt::format("v{}", Below(keys));
        event.log += fmt::format(" {}={}", kKey[i], *event.values[i]);
      }
    }
    jumps_ = clock_jumps;
    return events;
  }
  bool jumps() const { return jumps_; }

 private:
  std::mt19937 random_;
  bool jumps_ = false;
};

constexpr std::string_view kDecoders = R"(
<decoder name="base"><prematch>^b101 |^b102 </prematch></decoder>
<decoder name="base-1"><parent>base</parent><regex>src=(\S+)</regex><order>srcip</order></decoder>
<decoder name="base-1"><parent>base</parent><regex>usr=(\S+)</regex><order>user</order></decoder>
<decoder name="base-1"><parent>base</parent><regex>url=(\S+)</regex><order>url</order></decoder>
<decoder name="base-1"><parent>base</parent><regex>nr=(\S+)</regex><order>id</order></decoder>
<decoder name="web"><prematch>^b103 </prematch><type>web-log</type></decoder>
<decoder name="web-1"><parent>web</parent><type>web-log</type><regex>src=(\S+)</regex><order>srcip</order></decoder>
<decoder name="web-1"><parent>web</parent><type>web-log</type><regex>usr=(\S+)</regex><order>user</order></decoder>
<decoder name="web-1"><parent>web</parent><type>web-log</type><regex>url=(\S+)</regex><order>url</order></decoder>
<decoder name="web-1"><parent>web</parent><type>web-log</type><regex>nr=(\S+)</regex><order>id</order></decoder>
)";

// `change` is added to every frequency, where that is possible.
std::string RulesText(const std::vector<Composite>& composites, int change = 0) {
  std::string text = R"(<group name="base,">
<rule id="101" level="5"><match>b101</match><description>a</description><group>ga,</group></rule>
<rule id="102" level="5"><match>b102</match><description>b</description><group>ga,gb,</group></rule>
<rule id="103" level="5"><category>web-log</category><match>b103</match><description>c</description><group>gb,</group></rule>
)";
  for (const Composite& c : composites) {
    text += fmt::format("<rule id=\"{}\" level=\"{}\" frequency=\"{}\" timeframe=\"{}\"{}><if_sid>",
                        c.id, c.level, std::max(c.frequency + change, 0), c.timeframe,
                        c.noalert ? " noalert=\"1\"" : "");
    for (const int parent : c.parents) text += fmt::format("{}, ", parent);
    text += "</if_sid>";
    if (c.kind == Kind::kSid) text += fmt::format("<if_matched_sid>{}</if_matched_sid>", c.sid);
    if (c.kind == Kind::kGroup)
      text += fmt::format("<if_matched_group>{}</if_matched_group>", c.group);
    if (c.kind == Kind::kRegex)
      text += fmt::format("<if_matched_regex>{}</if_matched_regex>", c.word);
    for (const int value : c.same) text += fmt::format("<{}/>", kSame[static_cast<size_t>(value)]);
    for (const int value : c.different) {
      text += fmt::format("<{}/>", kDifferent[static_cast<size_t>(value)]);
    }
    text += "<description>many</description><group>ga,</group></rule>\n";
  }
  return text + "</group>";
}

// --- the engine on the same events ---

class EngineSide {
 public:
  explicit EngineSide(std::shared_ptr<const Ruleset> ruleset) : ruleset_(std::move(ruleset)) {
    engine_ = std::make_unique<Engine>(ruleset_, state_);
  }

  Model::Answer Judge(Event& decoded) {
    Verdict verdict = engine_->Judge(decoded);
    return {verdict.rule == nullptr ? 0 : verdict.rule->id, std::move(verdict.last_events)};
  }

  // As after an orderly stop and start.
  void Restart() {
    const std::string saved = engine_->Save();
    engine_ = std::make_unique<Engine>(ruleset_, state_);
    ASSERT_TRUE(engine_->Restore(saved));
  }

 private:
  std::shared_ptr<const Ruleset> ruleset_;
  MemoryState state_;
  std::unique_ptr<Engine> engine_;
};

// Sequences of events, decoded by `threads` threads that share one engine and take turns, so that
// neighbours are decoded at the same time.
class DecodedSequences {
 public:
  DecodedSequences(const std::shared_ptr<const Ruleset>& ruleset,
                   const std::vector<std::vector<ModelEvent>>& sequences, int threads) {
    std::vector<const ModelEvent*> events;
    for (const std::vector<ModelEvent>& sequence : sequences) {
      first_.push_back(events.size());
      for (const ModelEvent& event : sequence) events.push_back(&event);
    }
    decoded_ = std::vector<Event>(events.size());
    MemoryState state;
    const Engine engine(ruleset, state);
    std::vector<std::jthread> workers;
    for (int worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&, worker] {
        for (auto i = static_cast<size_t>(worker); i < events.size();
             i += static_cast<size_t>(threads)) {
          decoded_[i].Assign('1', "/x", events[i]->log, events[i]->time);
          engine.Decode(decoded_[i]);
        }
      });
    }
  }

  Event& At(size_t sequence, size_t event) { return decoded_[first_[sequence] + event]; }

 private:
  std::vector<Event> decoded_;
  std::vector<size_t> first_;  // of each sequence
};

struct Outcome {
  int sequences = 0;
  int fired = 0;        // sequences in which a composite rule fired
  int interleaved = 0;  // sequences in which events of two addresses alternate
  int different = 0;    // sequences in which model and engine disagree
  std::string example;
};

bool Interleaves(const std::vector<ModelEvent>& events) {
  int changes = 0;
  std::set<std::string> seen;
  std::string last;
  for (const ModelEvent& event : events) {
    if (!event.values[kSrcIp]) continue;
    const std::string& address = *event.values[kSrcIp];
    if (!last.empty() && address != last && seen.contains(address)) ++changes;
    seen.insert(address);
    last = address;
  }
  return changes >= 2;
}

std::string Join(const Model::Answer& answer) {
  std::string text = std::to_string(answer.rule);
  for (const std::string& log : answer.logs) text += " <- " + log;
  return text;
}

// What is added to every frequency of one side: the mutation that the comparison must notice.
struct Change {
  int model = 0;
  int engine = 0;
};

Outcome Compare(int sequences, int threads, Change change) {
  Generator generator(kSeed);
  Outcome outcome;
  for (int set = 0; set < kRuleSets; ++set) {
    const std::vector<Composite> composites = generator.Composites();
    config::Problems problems;
    const auto ruleset = MakeRuleset(
        Parts{.rules = RulesText(composites, change.engine), .decoders = std::string(kDecoders)},
        problems);
    if (ruleset == nullptr) {
      ADD_FAILURE() << ProblemText(problems);
      return outcome;
    }
    std::vector<std::vector<ModelEvent>> generated;
    std::vector<size_t> restarts;  // before which event; 0 = none
    for (int i = 0; i < sequences / kRuleSets; ++i) {
      generated.push_back(generator.Events());
      const bool restarts_here = generator.Percent(20) && !generator.jumps();
      restarts.push_back(restarts_here ? generated.back().size() / 2 : 0);
    }
    DecodedSequences decoded(ruleset, generated, threads);
    for (size_t i = 0; i < generated.size(); ++i) {
      const std::vector<ModelEvent>& events = generated[i];
      Model model(composites, change.model);
      EngineSide engine(ruleset);
      bool fired = false;
      std::string difference;
      for (size_t k = 0; k < events.size() && difference.empty(); ++k) {
        if (restarts[i] > 0 && k == restarts[i]) engine.Restart();
        const Model::Answer wanted = model.Judge(events[k]);
        const Model::Answer got = engine.Judge(decoded.At(i, k));
        fired = fired || got.rule > 200;
        if (wanted.rule != got.rule || wanted.logs != got.logs) {
          difference = fmt::format("set {} sequence {} event {}: model {}, engine {}\n{}", set, i,
                                   k, Join(wanted), Join(got), RulesText(composites));
        }
      }
      ++outcome.sequences;
      outcome.fired += fired ? 1 : 0;
      outcome.interleaved += Interleaves(events) ? 1 : 0;
      if (!difference.empty() && outcome.different++ == 0) outcome.example = difference;
    }
  }
  return outcome;
}

class CorrelationOracle : public testing::TestWithParam<int> {};  // decoding threads

TEST_P(CorrelationOracle, AgreesWithTheEngineOnTenThousandSequences) {
  const Outcome outcome = Compare(kSequences, GetParam(), {});
  EXPECT_EQ(outcome.sequences, kSequences);
  EXPECT_EQ(outcome.different, 0) << outcome.example;
  EXPECT_GE(outcome.fired * 100, 30 * kSequences) << outcome.fired;
  EXPECT_GE(outcome.interleaved * 100, 20 * kSequences) << outcome.interleaved;
  fmt::print(
      "{} sequences, decoded by {} threads: a composite rule fires in {}, two keys interleave in "
      "{}, model and engine differ in {}\n",
      outcome.sequences, GetParam(), outcome.fired, outcome.interleaved, outcome.different);
}

TEST_P(CorrelationOracle, NoticesAFrequencyThatIsOffByOneOnEitherSide) {
  for (const Change change : {Change{1, 0}, Change{-1, 0}, Change{0, 1}, Change{0, -1}}) {
    const Outcome outcome = Compare(kSequences / 5, GetParam(), change);
    EXPECT_GE(outcome.different * 100, 20 * outcome.sequences);
    fmt::print("frequency {:+} in the model, {:+} in the engine: {} of {} sequences differ\n",
               change.model, change.engine, outcome.different, outcome.sequences);
  }
}

INSTANTIATE_TEST_SUITE_P(DecodeThreads, CorrelationOracle, testing::Values(1, 4),
                         [](const auto& threads) { return std::to_string(threads.param); });

}  // namespace
}  // namespace ospatrol::analysisd
