#include "analysisd/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "../temporary_directory.h"
#include "base/files.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using ::testing::HasSubstr;

constexpr base::Seconds kNoon = 1715083200;  // 2024 May 07 12:00:00 UTC
constexpr base::Seconds kHour = 3600;

constexpr std::string_view kRules = R"(
<group name="local,">
  <rule id="100001" level="5"><match>boom</match><description>Boom.</description></rule>
  <rule id="100002" level="3"><decoded_as>fts</decoded_as><if_fts></if_fts><description>New user.</description></rule>
  <rule id="100003" level="0"><match>quiet</match><description>Quiet.</description></rule>
</group>)";

// Averages that a test sets; totals are not looked at.
class Averages : public StatisticsStore {
 public:
  int64_t Average(int weekday, int hour) const override {
    const auto found = values.find({weekday, hour});
    return found == values.end() ? 0 : found->second;
  }
  void SetAverage(int, int, int64_t) override {}
  void AppendTotals(const std::tm&, std::string_view) override {}

  std::map<std::pair<int, int>, int64_t> values;
};

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    setenv("TZ", "UTC0", 1);
    tzset();
    config::Problems problems;
    ruleset_ = MakeRuleset({.rules = std::string(kRules)}, problems);
    EXPECT_NE(ruleset_, nullptr) << ProblemText(problems);
    Start();
  }

  // Everything anew on the same disk: after a kill when nothing was committed.
  void Start(WriterOptions options = {}) {
    pipeline_.reset();
    writer_.emplace(home_, std::move(options));
    writer_->Open(kNoon);
    engine_.reset();
    state_.reset();
    state_.emplace(home_, kNoon);
    engine_.emplace(ruleset_, *state_);
    statistics_.emplace(statistics_options_, ruleset_->options(), averages_);
    pipeline_.emplace(*engine_, *statistics_, *writer_, *state_);
  }

  void Take(std::string_view location, std::string_view text, base::Seconds now = kNoon) {
    ipc::QueueMessage message;
    message.location = location;
    message.text = text;
    pipeline_->Take(message, now);
  }
  std::string Alerts() const { return base::ReadFile(home_ / "logs/alerts/alerts.log"); }
  std::string Archives() const { return base::ReadFile(home_ / "logs/archives/archives.log"); }

  TemporaryDirectory directory_;
  Home home_{directory_.path()};
  std::shared_ptr<const Ruleset> ruleset_;
  StatisticsOptions statistics_options_;
  Averages averages_;
  std::optional<AlertWriter> writer_;
  std::optional<StateStore> state_;
  std::optional<Engine> engine_;
  std::optional<Statistics> statistics_;
  std::optional<Pipeline> pipeline_;
};

TEST_F(PipelineTest, WritesAnAlertWithTheCommit) {
  Take("/var/log/x", Syslog("p", "boom"));
  EXPECT_EQ(Alerts(), "");
  EXPECT_TRUE(pipeline_->HasPending());
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_EQ(Alerts(),
            "** Alert 1715083200.1: - local,\n2024 May 07 12:00:00 h->/var/log/x\n"
            "Rule: 100001 (level 5) -> 'Boom.'\nFeb  9 11:44:56 h p[1]: boom\n\n");
  EXPECT_FALSE(pipeline_->HasPending());
}

TEST_F(PipelineTest, TellsNothingOfQuietRulesAndUnmatchedEvents) {
  Take("/var/log/x", Syslog("p", "quiet"));
  Take("/var/log/x", Syslog("p", "nothing"));
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_EQ(Alerts(), "");
  EXPECT_EQ(pipeline_->counters().processed, 2u);
}

TEST_F(PipelineTest, DropsKeepAlivesOfAllSpellings) {
  Start({.archives = true});
  for (const char* location : {"ossec-keepalive", "ospatrol-keepalive",
                               "(web1) any->ossec-keepalive", "(web1) any->ospatrol-keepalive"}) {
    Take(location, "--MARK--: boom");
  }
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_EQ(Alerts() + Archives(), "");
  EXPECT_EQ(pipeline_->counters().keepalives, 4u);
  EXPECT_EQ(pipeline_->counters().decoded, 0u);
}

TEST_F(PipelineTest, KnowsANumberedAgentByItsClassicLocation) {
  Take("[003] (web1) any->/var/log/x", Syslog("p", "boom"));
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_THAT(Alerts(), HasSubstr("12:00:00 (web1) any->/var/log/x\n"));
}

TEST_F(PipelineTest, ArchivesEveryEventAlsoThoseWithoutARule) {
  Start({.archives = true});
  Take("/var/log/x", Syslog("p", "boom"));
  Take("/var/log/x", Syslog("p", "nothing"));
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_THAT(Archives(), HasSubstr("h->/var/log/x Feb  9 11:44:56 h p[1]: boom\n"));
  EXPECT_THAT(Archives(), HasSubstr("h->/var/log/x Feb  9 11:44:56 h p[1]: nothing\n"));
}

TEST_F(PipelineTest, WritesFirewallLinesOfCompleteEvents) {
  Take("/var/log/x", Syslog("f", "denied 192.0.2.1 192.0.2.2 TCP"));
  Take("/var/log/x", Syslog("f", "incomplete"));
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_EQ(base::ReadFile(home_ / "logs/firewall/firewall.log"),
            "2024 May 07 12:00:00 h->/var/log/x DROP TCP 192.0.2.1:0->192.0.2.2:0\n");
}

TEST_F(PipelineTest, RaisesAFirstTimeAlertAgainWhenItWasKilledBeforeTheCommit) {
  Take("/var/log/x", Syslog("fts", "u=root"));
  Start();
  Take("/var/log/x", Syslog("fts", "u=root"));
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_THAT(Alerts(), HasSubstr("Rule: 100002"));
  Start();
  Take("/var/log/x", Syslog("fts", "u=root"));
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_EQ(pipeline_->counters().processed, 1u);
  EXPECT_EQ(Alerts().find("Rule: 100002"), Alerts().rfind("Rule: 100002"));
}

TEST_F(PipelineTest, KeepsStateUncommittedWhileOutputsFail) {
  std::filesystem::remove_all(home_ / "queue/diff");
  Take("/var/log/x", Syslog("fts", "u=root"));
  state_->StoreOutput("h", 1, "output");
  std::ofstream(home_ / "queue/diff") << "a file where a directory should be";
  EXPECT_FALSE(pipeline_->Commit());
  EXPECT_EQ(pipeline_->failure().step, Pipeline::Step::kState);
  EXPECT_THAT(pipeline_->failure().text, HasSubstr("queue/diff"));
  EXPECT_THAT(Alerts(), HasSubstr("Rule: 100002"));
  std::filesystem::remove(home_ / "queue/diff");
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_FALSE(pipeline_->HasPending());
  EXPECT_EQ(Alerts().find("Rule: 100002"), Alerts().rfind("Rule: 100002"));
}

TEST_F(PipelineTest, TellsOfAnUnusualHourOnce) {
  statistics_options_.smallest = 10;
  averages_.values[{StatisticsStore::kEveryDay, StatisticsStore::kDaysLearned}] = 5;
  averages_.values[{StatisticsStore::kEveryDay, 12}] = 4;
  Start();
  for (int i = 0; i < 40; ++i) Take("/var/log/x", Syslog("p", std::to_string(i)), kNoon + i);
  ASSERT_TRUE(pipeline_->Commit());
  EXPECT_THAT(Alerts(), HasSubstr("Rule: 11 (level 4) -> 'Excessive number of events (above "
                                  "normal).'\nThe average number of logs between 12:00 and 13:00 "
                                  "is 4. We reached 15.\n"));
  EXPECT_EQ(Alerts().find("Rule: 11 "), Alerts().rfind("Rule: 11 "));
  Take("/var/log/x", Syslog("p", "later"), kNoon + kHour);
  ASSERT_TRUE(pipeline_->Commit());
}

}  // namespace
}  // namespace ospatrol::analysisd
