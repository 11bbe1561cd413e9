// Thread count, prefilter and batch size never change a verdict: the same events in the same order
// give the same archives and alerts, byte for byte. They hold each event with its rule and fields.
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <random>
#include <tuple>

#include "../temporary_directory.h"
#include "analysisd/pipeline.h"
#include "analysisd/ruleset.h"
#include "base/files.h"
#include "config/configuration.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

constexpr base::Seconds kBegin = 1715083200;  // 2024 May 07 12:00:00 UTC
constexpr size_t kCopies = 50;
constexpr size_t kEventsPerSecond = 2000;
constexpr size_t kLocations = 5;
constexpr uint64_t kSeed = 20240507;

// The lines of families.tsv, each fifty times, shuffled: the same on every machine.
std::vector<std::string> ShuffledSamples() {
  std::ifstream in(std::string(OSPATROL_TEST_DATA) + "/families.tsv");
  std::vector<std::string> samples;
  std::string row;
  std::getline(in, row);  // names of the columns
  while (std::getline(in, row)) {
    std::string line = row.substr(row.rfind('\t') + 1);
    for (size_t at = 0; (at = line.find("<TAB>", at)) != std::string::npos;) {
      line.replace(at, 5, "\t");
    }
    samples.insert(samples.end(), kCopies, line);
  }
  std::mt19937_64 random(kSeed);
  for (size_t i = samples.size(); i > 1; --i) std::swap(samples[i - 1], samples[random() % i]);
  return samples;
}

std::shared_ptr<const Ruleset> ShippedRules(bool prefilter) {
  const Home home{std::filesystem::path(OSPATROL_SOURCE_DIR)};
  config::Problems problems;
  const config::Configuration configuration =
      config::LoadConfiguration(home / "etc/ospatrol-local.conf", "etc/ospatrol-local.conf",
                                config::Reader::kAnalysisd, problems);
  config::InternalOptions internal = config::InternalOptions::Load(home, problems);
  internal.Set("analysisd.prefilter", prefilter ? 1 : 0);
  auto ruleset = Ruleset::Load(home, configuration, internal, problems);
  EXPECT_NE(ruleset, nullptr) << ProblemText(problems);
  return ruleset;
}

class NoStatistics : public StatisticsStore {
 public:
  int64_t Average(int, int) const override { return 0; }
  void SetAverage(int, int, int64_t) override {}
  void AppendTotals(const std::tm&, std::string_view) override {}
};

struct Batches {
  size_t portion;  // events that arrive together: a frame
  size_t chunk;    // events that one thread decodes at a time
};

struct Records {
  std::string archives, alerts_text, alerts_json;
  uint64_t processed = 0, repeated = 0;
};

// What the daemon's files hold after all samples.
Records Judge(const std::vector<std::string>& samples, std::shared_ptr<const Ruleset> ruleset,
              size_t threads, Batches batches) {
  const TemporaryDirectory directory;
  const Home home{directory.path()};
  AlertWriter writer(home, WriterOptions{.alerts_json = true, .archives_json = true});
  writer.Open(kBegin);
  StateStore state(home, kBegin);
  Engine engine(ruleset, state);
  NoStatistics averages;
  Statistics statistics({}, ruleset->options(), averages);
  Pipeline pipeline(engine, statistics, writer, state,
                    {.threads = threads, .chunk = batches.chunk});
  for (size_t next = 0; next < samples.size();) {
    // All events of a portion have one time, so it ends with the second.
    const size_t second = next / kEventsPerSecond;
    const size_t end =
        std::min({next + batches.portion, samples.size(), (second + 1) * kEventsPerSecond});
    std::array<std::string, kLocations> locations;
    for (size_t i = 0; i < kLocations; ++i) locations[i] = fmt::format("/var/log/{}", i);
    for (; next < end; ++next) {
      ipc::QueueMessage message;
      message.location = locations[next % kLocations];
      message.text = samples[next];
      pipeline.Add(message);
    }
    pipeline.Run(kBegin + static_cast<base::Seconds>(second));
  }
  EXPECT_TRUE(pipeline.Commit());
  return {base::ReadFile(home / "logs/archives/archives.json"),
          base::ReadFile(home / "logs/alerts/alerts.log"),
          base::ReadFile(home / "logs/alerts/alerts.json"), pipeline.counters().processed,
          pipeline.counters().repeated};
}

// The first line that differs, from both; empty when there is none.
std::string FirstDifference(const std::string& expected, const std::string& got) {
  if (expected == got) return {};
  const auto at = static_cast<size_t>(
      std::mismatch(expected.begin(), expected.end(), got.begin(), got.end()).first -
      expected.begin());
  const size_t begin = at == 0 ? 0 : expected.rfind('\n', at - 1) + 1;
  const auto line = [&](const std::string& text) {
    return begin < text.size() ? text.substr(begin, text.find('\n', begin) - begin) : "(the end)";
  };
  return line(expected) + "\n" + line(got);
}

void ExpectSame(const Records& expected, const Records& got) {
  EXPECT_EQ(FirstDifference(expected.archives, got.archives), "");
  EXPECT_EQ(FirstDifference(expected.alerts_text, got.alerts_text), "");
  EXPECT_EQ(FirstDifference(expected.alerts_json, got.alerts_json), "");
  EXPECT_EQ(expected.processed, got.processed);
  EXPECT_EQ(expected.repeated, got.repeated);
}

class SameVerdicts : public ::testing::TestWithParam<std::tuple<size_t, bool>> {
 protected:
  SameVerdicts() {
    setenv("TZ", "UTC0", 1);
    tzset();
  }
};

TEST_P(SameVerdicts, WhateverTheThreadsThePrefilterAndTheSizeOfBatches) {
  const auto [threads, prefilter] = GetParam();
  const std::vector<std::string> samples = ShuffledSamples();
  ASSERT_GT(samples.size(), 40'000U);
  // The plainest way: one event at a time on one thread, every rule tried.
  const Records expected = Judge(samples, ShippedRules(false), 1, {1, 1});
  ASSERT_GT(expected.processed, samples.size() * 9 / 10);
  ASSERT_GT(std::count(expected.alerts_json.begin(), expected.alerts_json.end(), '\n'), 10'000);

  const auto ruleset = ShippedRules(prefilter);
  for (const Batches batches : {Batches{1, 1}, {3, 2}, {64, 7}, {1000, 128}, {777, 1000}}) {
    SCOPED_TRACE(fmt::format("portions of {}, chunks of {}", batches.portion, batches.chunk));
    ExpectSame(expected, Judge(samples, ruleset, threads, batches));
  }
}

INSTANTIATE_TEST_SUITE_P(, SameVerdicts,
                         ::testing::Combine(::testing::Values(size_t{1}, size_t{2}, size_t{4}),
                                            ::testing::Bool()),
                         [](const auto& instance) {
                           return fmt::format("{}Threads{}Prefilter", std::get<0>(instance.param),
                                              std::get<1>(instance.param) ? "With" : "Without");
                         });

}  // namespace
}  // namespace ospatrol::analysisd
