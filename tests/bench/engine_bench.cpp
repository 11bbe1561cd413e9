#include "engine_bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "analysisd/engine.h"
#include "analysisd/memory_state.h"
#include "analysisd/ruleset.h"
#include "base/error.h"
#include "config/configuration.h"
#include "config/internal_options.h"
#include "config/problems.h"
#include "meter.h"
#include "product/paths.h"

namespace ospatrol::bench {
namespace {

constexpr base::Seconds kBegin = 1'773'480'000;  // any time: rules see it advance with the events

std::shared_ptr<const analysisd::Ruleset> LoadRules(const std::filesystem::path& prefix) {
  const Home home(prefix);
  const std::filesystem::path file = home / paths::kConfiguration;
  config::Problems problems;
  const config::Configuration configuration =
      config::LoadConfiguration(file, file.string(), config::Reader::kTools, problems);
  const config::InternalOptions internal = config::InternalOptions::Load(home, problems);
  auto ruleset = analysisd::Ruleset::Load(home, configuration, internal, problems);
  if (ruleset != nullptr && !problems.HasErrors()) return ruleset;
  for (const config::Problem& problem : problems.all()) {
    if (problem.kind == config::Problem::Kind::kError) throw Error(problem.Line());
  }
  throw Error(fmt::format("{}: no ruleset", file.string()));
}

struct Tally {
  uint64_t events = 0, matched = 0, alerts = 0, repeated = 0;
  void Count(const analysisd::Verdict& verdict) {
    ++events;
    matched += verdict.rule != nullptr ? 1 : 0;
    alerts += verdict.alert ? 1 : 0;
    repeated += verdict.duplicate ? 1 : 0;
  }
};

using Batch = std::vector<std::unique_ptr<analysisd::Event>>;

// Everything that one run shares.
class Run {
 public:
  Run(const EngineOptions& options, std::shared_ptr<const analysisd::Ruleset> ruleset)
      : options_(options),
        lines_(options.input, options.locations),
        engine_(std::move(ruleset), state_) {}

  const Lines& lines() const { return lines_; }
  const Tally& tally() const { return tally_; }
  void ForgetTally() { tally_ = {}; }

  // Decodes and judges `count` events by turns.
  void InTurn(uint64_t count) {
    analysisd::Event event;
    for (const uint64_t end = next_ + count; next_ < end; ++next_) {
      Decode(next_, event);
      tally_.Count(engine_.Judge(event));
    }
  }

  // The same in batches; gives the CPU seconds of the phase that is asked for.
  double InPhases(uint64_t count, bool decode) {
    double seconds = 0;
    Batch batch = NewBatch();
    for (const uint64_t end = next_ + count; next_ < end;) {
      const auto size = static_cast<size_t>(std::min<uint64_t>(options_.batch, end - next_));
      const double begin = CpuOfThisThread();
      for (size_t i = 0; i < size; ++i) Decode(next_ + i, *batch[i]);
      const double between = CpuOfThisThread();
      for (size_t i = 0; i < size; ++i) tally_.Count(engine_.Judge(*batch[i]));
      const double finish = CpuOfThisThread();
      seconds += decode ? between - begin : finish - between;
      next_ += size;
    }
    return seconds;
  }

  // Decodes on threads of their own, in batches; judges here, in order.
  void InParallel(uint64_t count);

 private:
  void Decode(uint64_t number, analysisd::Event& event) const {
    event.Reset();
    event.Assign('1', lines_.location(number), lines_.line(number),
                 kBegin + static_cast<base::Seconds>(number / options_.rate));
    engine_.Decode(event);
  }

  Batch NewBatch() const {
    Batch batch;
    for (size_t i = 0; i < options_.batch; ++i) {
      batch.push_back(std::make_unique<analysisd::Event>());
    }
    return batch;
  }

  const EngineOptions& options_;
  Lines lines_;
  analysisd::MemoryState state_;
  analysisd::Engine engine_;
  uint64_t next_ = 0;
  Tally tally_;
};

// A ring of batches: slot s holds batch s, s + slots, ... Decoders take the next undone batch; the
// judge waits for the one whose turn it is.
void Run::InParallel(uint64_t count) {
  struct Slot {
    Batch events;
    size_t size = 0;
    bool decoded = false;
  };
  const uint64_t first = next_;
  const uint64_t batches = (count + options_.batch - 1) / options_.batch;
  std::vector<Slot> slots(static_cast<size_t>(options_.threads) * 4);
  for (Slot& slot : slots) slot.events = NewBatch();
  std::mutex mutex;
  std::condition_variable decoded, judged;
  uint64_t to_decode = 0, to_judge = 0;

  const auto decode = [&] {
    std::unique_lock lock(mutex);
    for (;;) {
      judged.wait(lock,
                  [&] { return to_decode == batches || to_decode < to_judge + slots.size(); });
      if (to_decode == batches) return;
      const uint64_t number = to_decode++;
      Slot& slot = slots[number % slots.size()];
      lock.unlock();
      const uint64_t begin = number * options_.batch;
      slot.size = static_cast<size_t>(std::min<uint64_t>(options_.batch, count - begin));
      for (size_t i = 0; i < slot.size; ++i) Decode(first + begin + i, *slot.events[i]);
      lock.lock();
      slot.decoded = true;
      decoded.notify_one();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < options_.threads; ++i) threads.emplace_back(decode);
  for (uint64_t number = 0; number < batches; ++number) {
    Slot& slot = slots[number % slots.size()];
    {
      std::unique_lock lock(mutex);
      decoded.wait(lock, [&] { return slot.decoded; });
    }
    for (size_t i = 0; i < slot.size; ++i) tally_.Count(engine_.Judge(*slot.events[i]));
    const std::scoped_lock lock(mutex);
    slot.decoded = false;
    ++to_judge;
    judged.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
  next_ += count;
}

}  // namespace

uint64_t ExpectedAlerts(const EngineOptions& options) {
  Run run(options, LoadRules(options.prefix));
  run.InTurn(options.events);
  return run.tally().alerts;
}

int RunEngine(const EngineOptions& options, double unit_before) {
  const double load_begin = CpuOfThisProcess().total();
  Run run(options, LoadRules(options.prefix));
  const double load = CpuOfThisProcess().total() - load_begin;
  const long rss_loaded = StatusKib(::getpid(), "VmRSS");
  if (options.threads > 1) {
    run.InParallel(options.warmup);
  } else {
    run.InTurn(options.warmup);
  }
  run.ForgetTally();

  const CpuTime cpu_begin = CpuOfThisProcess();
  const double begin = MonotonicSeconds();
  double phase = 0;
  if (options.phase != "both") {
    phase = run.InPhases(options.events, options.phase == "decode");
  } else if (options.threads > 1) {
    run.InParallel(options.events);
  } else {
    run.InTurn(options.events);
  }
  const double wall = MonotonicSeconds() - begin;
  const CpuTime cpu_end = CpuOfThisProcess();
  const double cpu = options.phase != "both" ? phase : cpu_end.total() - cpu_begin.total();

  const Tally& tally = run.tally();
  const auto events = static_cast<double>(options.events);
  Report report;
  report.Add("mode", "engine");
  report.Add("phase", options.phase);
  report.Add("threads", static_cast<uint64_t>(options.threads));
  report.Add("batch", options.batch);
  report.Add("events", options.events);
  report.Add("mean_bytes", run.lines().mean_bytes(), 1);
  report.Add("wall_s", wall, 3);
  report.Add("events_per_s", events / wall, 0);
  report.Add("cpu_us_per_event", cpu * 1e6 / events, 3);
  if (unit_before > 0) {
    const double unit = (unit_before + Yardstick(options.input)) / 2;
    report.Add("yardstick_us", unit, 3);
    report.Add("units_per_event", cpu * 1e6 / events / unit, 4);
  }
  report.Add("user_s", cpu_end.user - cpu_begin.user, 3);
  report.Add("system_s", cpu_end.system - cpu_begin.system, 3);
  report.Add("matched_share", static_cast<double>(tally.matched) / events, 4);
  report.Add("alerts", tally.alerts);
  report.Add("alerts_share", static_cast<double>(tally.alerts) / events, 4);
  report.Add("repeated", tally.repeated);
  report.Add("load_cpu_ms", load * 1e3, 1);
  report.Add("rss_loaded_kib", static_cast<uint64_t>(rss_loaded));
  report.Add("peak_rss_kib", static_cast<uint64_t>(StatusKib(::getpid(), "VmHWM")));
  report.Print();
  return 0;
}

}  // namespace ospatrol::bench
