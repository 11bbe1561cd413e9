#include "analysisd/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "../temporary_directory.h"
#include "analysisd/statistics_files.h"
#include "base/files.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::HasSubstr;

class MemoryStatistics : public StatisticsStore {
 public:
  int64_t Average(int weekday, int hour) const override {
    const auto found = averages.find({weekday, hour});
    return found == averages.end() ? 0 : found->second;
  }
  void SetAverage(int weekday, int hour, int64_t value) override {
    averages[{weekday, hour}] = value;
  }
  void AppendTotals(const std::tm& day, std::string_view text) override {
    totals += fmt::format("[{}]\n{}", day.tm_mday, text);
  }
  std::map<std::pair<int, int>, int64_t> averages;
  std::string totals;
};

constexpr int kHourly = StatisticsStore::kEveryDay;
constexpr int kDays = StatisticsStore::kDaysLearned;

class Hours : public testing::Test {
 protected:
  // `count` events at that day of March 2026 (the 1st is a Sunday) and hour; gives the alerts.
  std::vector<std::string> Events(int day, int hour, int count) {
    std::vector<std::string> alerts;
    for (int i = 0; i < count; ++i) {
      judging_.event.Reset();
      judging_.event.Assign('1', "/x", i % 2 == 0 ? "a" : "b", 1000);
      judging_.engine->Decode(judging_.event);
      std::tm& local = judging_.event.local;
      local = {};
      local.tm_year = 126;
      local.tm_mon = 2;
      local.tm_mday = day;
      local.tm_wday = (day - 1) % 7;
      local.tm_hour = hour;
      statistics_.Advance(judging_.event, *judging_.engine);
      const Verdict verdict = judging_.engine->Judge(judging_.event);
      if (auto alert = statistics_.Count(judging_.event, verdict)) alerts.push_back(*alert);
    }
    return alerts;
  }

  Judging judging_{
      R"(<group name="g,"><rule id="100" level="3"><match>a</match><description>d</description></rule></group>)"};
  MemoryStatistics store_;
  Statistics statistics_{
      {.percent = 100, .smallest = 2, .largest = 1000, .level = 4}, JudgingOptions(), store_};
};

TEST_F(Hours, LearnFromTheDayThatEnded) {
  Events(1, 10, 4);
  Events(2, 9, 6);  // Sunday ended
  EXPECT_EQ(store_.Average(kHourly, kDays), 1);
  EXPECT_EQ(store_.Average(kHourly, 10), 24);  // none before: count + 20
  EXPECT_EQ(store_.Average(0, kDays), 1);
  EXPECT_EQ(store_.Average(0, 10), 24);
  Events(2, 10, 6);
  Events(3, 10, 1);  // Monday ended
  EXPECT_EQ(store_.Average(kHourly, kDays), 2);
  EXPECT_EQ(store_.Average(kHourly, 10), (6 + 2 * 24) / 3 + 5);
  EXPECT_EQ(store_.Average(kHourly, 9), 26);
  EXPECT_EQ(store_.Average(1, 10), 26);
  EXPECT_EQ(store_.Average(0, 10), 24);
}

TEST_F(Hours, WeighWhatWasLearnedAtMostSevenfold) {
  store_.averages = {{{kHourly, kDays}, 30}, {{kHourly, 10}, 100}};
  Events(1, 10, 20);
  Events(2, 10, 1);
  EXPECT_EQ(store_.Average(kHourly, 10), (20 + 7 * 100) / 8 + 5);
}

TEST_F(Hours, AlertOnceWhenThereAreFarMoreEventsThanUsual) {
  store_.averages = {{{kHourly, kDays}, 3}, {{kHourly, 10}, 4}};
  // Limit: 4 + 4 * 100 / 100 + 1 = 9.
  EXPECT_THAT(Events(1, 10, 9), testing::IsEmpty());
  EXPECT_THAT(Events(1, 10, 5),
              testing::ElementsAre(
                  "The average number of logs between 10:00 and 11:00 is 4. We reached 10."));
  EXPECT_EQ(statistics_.rule().id, 11);
  EXPECT_EQ(statistics_.rule().level, 4);
  EXPECT_TRUE(statistics_.rule().log);
}

TEST_F(Hours, NeedThreeLearnedDaysAndAnAverage) {
  store_.averages = {{{kHourly, kDays}, 2}, {{kHourly, 10}, 4}};
  EXPECT_THAT(Events(1, 10, 50), testing::IsEmpty());
  store_.averages[{kHourly, kDays}] = 3;
  EXPECT_THAT(Events(1, 11, 50), testing::IsEmpty());
}

TEST_F(Hours, AlertAtMostThreeTimesADayAndLearnSuchADayFaster) {
  store_.averages = {{{kHourly, kDays}, 3}};
  for (int hour = 0; hour < 5; ++hour) store_.averages[{kHourly, hour}] = 4;
  size_t alerts = 0;
  for (int hour = 0; hour < 5; ++hour) alerts += Events(1, hour, 20).size();
  EXPECT_EQ(alerts, 3u);
  Events(2, 0, 1);
  EXPECT_EQ(store_.Average(kHourly, 0), (3 * 20 + 4 * 4) / 7 + 25);
  EXPECT_EQ(Events(2, 1, 200).size(), 1u);
}

TEST_F(Hours, AlertByWeekdayToo) {
  store_.averages = {{{1, kDays}, 3}, {{1, 10}, 4}};
  EXPECT_THAT(
      Events(2, 10, 10),
      testing::ElementsAre(
          "The average number of logs between 10:00 and 11:00 on Monday is 4. We reached 10."));
}

TEST_F(Hours, WriteTheirTotals) {
  Events(1, 10, 3);
  Events(1, 12, 1);
  EXPECT_EQ(store_.totals, "[1]\n10-100-3-2\n10--2--3--0--0\n\n");
  store_.totals.clear();
  Events(2, 0, 1);
  EXPECT_THAT(store_.totals,
              HasSubstr("[1]\n12-100-3-1\n12--1--1--0--0\n\n[1]\nHour totals - 0:0\n"));
  EXPECT_THAT(store_.totals,
              HasSubstr("Hour totals - 10:3\nHour totals - 11:0\nHour totals - 12:1\n"));
  EXPECT_THAT(store_.totals, HasSubstr("Total events for day:4\n"));
}

TEST_F(Hours, AClockThatIsSetBackReopensNothing) {
  Events(2, 10, 3);
  Events(1, 23, 2);
  EXPECT_EQ(store_.totals, "");
  Events(2, 11, 1);
  EXPECT_THAT(store_.totals, HasSubstr("10--3--5--0--0"));
}

TEST(StatisticsFiles, AreWhatReportsRead) {
  const TemporaryDirectory directory;
  const Home home(directory.path());
  {
    StatisticsFiles files(home);
    EXPECT_EQ(files.Average(kHourly, 3), 0);
    files.SetAverage(kHourly, 3, 77);
    files.SetAverage(6, kDays, 5);
    std::tm day{};
    day.tm_year = 126;
    day.tm_mon = 2;
    day.tm_mday = 4;
    files.AppendTotals(day, "one\n");
    files.AppendTotals(day, "two\n");
  }
  EXPECT_EQ(base::ReadFile(directory / "stats/hourly-average/3"), "77");
  EXPECT_EQ(base::ReadFile(directory / "stats/weekly-average/6/24"), "5");
  EXPECT_EQ(base::ReadFile(directory / "stats/totals/2026/Mar/ospatrol-totals-04.log"),
            "one\ntwo\n");
  const StatisticsFiles again(home);
  EXPECT_EQ(again.Average(kHourly, 3), 77);
  EXPECT_EQ(again.Average(6, kDays), 5);
}

}  // namespace
}  // namespace ospatrol::analysisd
