#include "engine_bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "analysisd/chunk_crew.h"
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

std::shared_ptr<const analysisd::Ruleset> LoadRules(const EngineOptions& options) {
  const Home home(options.prefix);
  const std::filesystem::path file = home / paths::kConfiguration;
  config::Problems problems;
  const config::Configuration configuration =
      config::LoadConfiguration(file, file.string(), config::Reader::kTools, problems);
  config::InternalOptions internal = config::InternalOptions::Load(home, problems);
  if (!options.prefilter) internal.Set("analysisd.prefilter", 0);
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

// Everything that one run shares. Events come in portions, as in the daemon: chunks of a portion
// are decoded on all threads while the first thread judges those before.
class Run : private analysisd::ChunkCrew::Work {
 public:
  explicit Run(const EngineOptions& options)
      : options_(options),
        lines_(options.input, options.locations),
        engine_(LoadRules(options), state_),
        crew_(static_cast<size_t>(options.threads)) {
    for (auto& slot : slots_) slot = std::make_unique<analysisd::Event[]>(options.batch);
  }

  const Lines& lines() const { return lines_; }
  const Tally& tally() const { return tally_; }
  double decode_seconds() const { return decode_seconds_; }
  double judge_seconds() const { return judge_seconds_; }

  // Forgets what was counted before.
  void Take(uint64_t count) {
    tally_ = {};
    decode_seconds_ = judge_seconds_ = 0;
    for (const uint64_t end = next_ + count; next_ < end; next_ += portion_) {
      portion_ = std::min<uint64_t>(kPortion, end - next_);
      crew_.Run((static_cast<size_t>(portion_) + options_.batch - 1) / options_.batch, *this);
    }
  }

 private:
  size_t EventsIn(size_t chunk) const {
    return std::min(options_.batch, static_cast<size_t>(portion_) - chunk * options_.batch);
  }

  void Decode(size_t chunk, size_t slot) override {
    const double begin = options_.phase == "both" ? 0 : CpuOfThisThread();
    uint64_t number = next_ + chunk * options_.batch;
    for (size_t i = 0; i < EventsIn(chunk); ++i, ++number) {
      analysisd::Event& event = slots_[slot][i];
      event.Refer('1', lines_.location(number), lines_.line(number),
                  kBegin + static_cast<base::Seconds>(number / options_.rate));
      engine_.ReadHeader(event);
    }
    for (size_t i = 0; i < EventsIn(chunk); ++i) {
      if (i + 1 < EventsIn(chunk)) slots_[slot][i + 1].Fetch();
      engine_.ReadFields(slots_[slot][i]);
    }
    if (options_.phase != "both") decode_seconds_ += CpuOfThisThread() - begin;
  }

  void Judge(size_t chunk, size_t slot) override {
    const double begin = options_.phase == "both" ? 0 : CpuOfThisThread();
    for (size_t i = 0; i < EventsIn(chunk); ++i) {
      if (i + 1 < EventsIn(chunk)) slots_[slot][i + 1].Fetch();
      tally_.Count(engine_.Judge(slots_[slot][i]));
    }
    if (options_.phase != "both") judge_seconds_ += CpuOfThisThread() - begin;
  }

  void Record(size_t, size_t) override {}
  void Collect(size_t, size_t) override {}

  static constexpr uint64_t kPortion = 2048;

  const EngineOptions& options_;
  Lines lines_;
  analysisd::MemoryState state_;
  analysisd::Engine engine_;
  std::array<std::unique_ptr<analysisd::Event[]>, analysisd::ChunkCrew::kSlots> slots_;
  uint64_t next_ = 0, portion_ = 0;  // the first event of the portion, and how many it has
  Tally tally_;
  double decode_seconds_ = 0, judge_seconds_ = 0;
  analysisd::ChunkCrew crew_;  // last: its threads end first
};

}  // namespace

uint64_t ExpectedAlerts(const EngineOptions& options) {
  Run run(options);
  run.Take(options.events);
  return run.tally().alerts;
}

int RunEngine(const EngineOptions& options, double unit_before) {
  const double load_begin = CpuOfThisProcess().total();
  Run run(options);
  const double load = CpuOfThisProcess().total() - load_begin;
  const long rss_loaded = StatusKib(::getpid(), "VmRSS");
  run.Take(options.warmup);

  const CpuTime cpu_begin = CpuOfThisProcess();
  const double begin = MonotonicSeconds();
  run.Take(options.events);
  const double wall = MonotonicSeconds() - begin;
  const CpuTime cpu_end = CpuOfThisProcess();
  double cpu = cpu_end.total() - cpu_begin.total();
  if (options.phase == "decode") cpu = run.decode_seconds();
  if (options.phase == "judge") cpu = run.judge_seconds();

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
