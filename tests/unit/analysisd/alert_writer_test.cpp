#include "analysisd/alert_writer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <csignal>
#include <fstream>
#include <set>

#include "../temporary_directory.h"
#include "alert/alert_follower.h"
#include "alert/text_record.h"
#include "base/error.h"
#include "base/files.h"

namespace ospatrol::analysisd {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr base::Seconds kNoon = 1715083200;  // 2024 May 07 12:00:00 UTC
constexpr base::Seconds kDay = 86400;

alert::Alert Sample(base::Seconds time = kNoon) {
  alert::Alert alert;
  alert.time = time;
  alert.rule.id = 5715;
  alert.rule.level = 3;
  alert.rule.comment = "Login.";
  alert.rule.group = "sshd,";
  alert.location = "/var/log/auth.log";
  alert.hostname = "gw1";
  alert.full_log = "accepted";
  alert.srcip = "192.0.2.1";
  alert.srcgeoip = "DE";
  return alert;
}

// Records have the id that `alert` gets.
void Make(alert::Alert& alert, uint64_t number, AlertWriter& writer, RecordBatch& batch) {
  alert::AlertView view = alert;
  writer.MakeAlert(view, number, batch);
  alert.id = std::to_string(alert.time) + "." + std::to_string(number);
}

void Add(alert::Alert& alert, AlertWriter& writer) {
  Make(alert, writer.ClaimNumber(), writer, writer.pending());
}

class AlertWriterTest : public ::testing::Test {
 protected:
  AlertWriterTest() {
    setenv("TZ", "UTC0", 1);
    tzset();
  }
  std::string Read(const std::string& name) const { return base::ReadFile(home_ / name); }
  bool Exists(const std::string& name) const { return std::filesystem::exists(home_ / name); }

  TemporaryDirectory directory_;
  Home home_{directory_.path()};
};

TEST_F(AlertWriterTest, MakesTheFilesThatAlwaysExist) {
  AlertWriter writer(home_, {});
  writer.Open(kNoon);
  EXPECT_TRUE(Exists("logs/alerts/alerts.log"));
  EXPECT_TRUE(Exists("logs/archives/archives.log"));
  EXPECT_TRUE(Exists("logs/firewall/firewall.log"));
  EXPECT_FALSE(Exists("logs/alerts/alerts.json"));
  EXPECT_FALSE(Exists("logs/archives/archives.json"));
  EXPECT_TRUE(Exists("logs/archives/2024/May/ospatrol-archive-07.log"));
  EXPECT_TRUE(Exists("logs/firewall/2024/May/ospatrol-firewall-07.log"));
}

TEST_F(AlertWriterTest, TakesRecordsThatWereMadeElsewhere) {
  AlertWriter writer(home_, {.alerts_json = true});
  writer.Open(kNoon);
  std::array<alert::Alert, 3> alerts{Sample(), Sample(), Sample()};
  std::array<RecordBatch, 3> batches;
  // Made in any order; ids and records have the order of claiming and taking.
  std::array<uint64_t, 3> numbers{};
  for (uint64_t& number : numbers) number = writer.ClaimNumber();
  for (const size_t i : {2, 0, 1}) Make(alerts[i], numbers[i], writer, batches[i]);
  for (RecordBatch& batch : batches) {
    writer.pending().Take(batch);
    EXPECT_EQ(batch.records(), 0u);
    EXPECT_EQ(batch.bytes(), 0u);
  }
  EXPECT_EQ(writer.pending().records(), 6u);
  ASSERT_TRUE(writer.Flush());
  const std::string log = Read("logs/alerts/alerts.log");
  size_t at = 0;
  for (const alert::Alert& alert : alerts) {
    at = log.find("** Alert " + alert.id + ":", at);
    ASSERT_NE(at, std::string::npos) << alert.id;
  }
  EXPECT_EQ(writer.counters().alerts, 3u);
}

TEST_F(AlertWriterTest, WritesNothingBeforeTheGroupIsFlushed) {
  AlertWriter writer(home_, {.alerts_json = true});
  writer.Open(kNoon);
  alert::Alert one = Sample(), two = Sample();
  Add(one, writer);
  Add(two, writer);
  EXPECT_EQ(writer.pending().records(), 4u);
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "");
  ASSERT_TRUE(writer.Flush());
  EXPECT_EQ(writer.pending().records(), 0u);
  EXPECT_EQ(one.id, "1715083200.1");
  EXPECT_EQ(two.id, "1715083200.2");
  EXPECT_THAT(Read("logs/alerts/alerts.log"), HasSubstr("** Alert 1715083200.2: - sshd,\n"));
  EXPECT_THAT(Read("logs/alerts/alerts.json"), HasSubstr(R"("id":"1715083200.2")"));
  EXPECT_EQ(writer.counters().alerts, 2u);
}

TEST_F(AlertWriterTest, NumbersGoOnBehindTheSizeOfTodaysFile) {
  uint64_t size = 0;
  {
    AlertWriter writer(home_, {});
    writer.Open(kNoon);
    for (int i = 0; i < 3; ++i) {
      alert::Alert alert = Sample();
      Add(alert, writer);
    }
    ASSERT_TRUE(writer.Flush());
    size = Read("logs/alerts/alerts.log").size();
  }
  AlertWriter writer(home_, {});
  writer.Open(kNoon);  // within the same second
  alert::Alert alert = Sample();
  Add(alert, writer);
  EXPECT_EQ(alert.id, "1715083200." + std::to_string(size));
}

TEST_F(AlertWriterTest, ShowsGeoInJsonOnlyWhenAskedTo) {
  for (const bool wanted : {false, true}) {
    AlertWriter writer(home_, {.alerts_json = true, .geoip_in_json = wanted});
    writer.Open(kNoon);
    alert::Alert alert = Sample();
    Add(alert, writer);
    ASSERT_TRUE(writer.Flush());
    const std::string json = Read("logs/alerts/alerts.json");
    EXPECT_EQ(json.find("srcgeoip") != std::string::npos, wanted);
  }
  EXPECT_THAT(Read("logs/alerts/alerts.log"), HasSubstr("Src Location: DE\n"));
}

TEST_F(AlertWriterTest, WritesArchivesAndFirewallLines) {
  AlertWriter writer(home_, {.archives = true, .archives_json = true});
  writer.Open(kNoon);
  alert::Alert event = Sample();
  event.rule = {};
  event.action = "DROP";
  event.protocol = "TCP";
  event.dstip = "192.0.2.2";
  writer.MakeArchive(event, "behind the header", writer.pending());
  writer.MakeFirewall(event, writer.pending());
  ASSERT_TRUE(writer.Flush());
  EXPECT_EQ(Read("logs/archives/archives.log"),
            "2024 May 07 12:00:00 gw1->/var/log/auth.log accepted\n");
  EXPECT_THAT(Read("logs/archives/archives.json"), HasSubstr(R"("log":"behind the header")"));
  EXPECT_EQ(Read("logs/firewall/firewall.log"),
            "2024 May 07 12:00:00 gw1->/var/log/auth.log DROP TCP 192.0.2.1:0->192.0.2.2:0\n");
  EXPECT_EQ(writer.counters().firewall, 1u);
}

TEST_F(AlertWriterTest, KnowsANewDayAndDoesNotGoBackForALateEvent) {
  AlertWriter writer(home_, {});
  writer.Open(kNoon);
  EXPECT_FALSE(writer.IsNewDay(kNoon + 3600));
  EXPECT_TRUE(writer.IsNewDay(kNoon + kDay / 2));
  writer.StartDay(kNoon + kDay / 2);
  EXPECT_TRUE(Exists("logs/alerts/2024/May/ospatrol-alerts-08.log"));
  EXPECT_FALSE(Exists("logs/alerts/2024/May/ospatrol-alerts-07.log"));  // was empty
  EXPECT_FALSE(writer.IsNewDay(kNoon + kDay / 2 - 1));                  // 23:59:59
  EXPECT_TRUE(writer.IsNewDay(kNoon - 2 * kDay));                       // the clock was corrected
}

TEST_F(AlertWriterTest, KeepsEverythingWhileTheDiskIsFullAndLosesNothing) {
  AlertWriter writer(home_, {.alerts_json = true});
  writer.Open(kNoon);
  for (int i = 0; i < 50; ++i) {
    alert::Alert alert = Sample();
    Add(alert, writer);
  }
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{1000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_FALSE(writer.Flush());
  EXPECT_FALSE(writer.Flush());
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(writer.failure().text, "File too large");
  EXPECT_THAT(writer.failure().file, HasSubstr("ospatrol-alerts-07"));
  EXPECT_EQ(writer.pending().records(), 100u);
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "");

  ASSERT_TRUE(writer.Flush());
  const std::string text = Read("logs/alerts/alerts.log");
  std::string_view rest = text;
  int records = 0;
  while (!rest.empty()) {
    size_t consumed = 0;
    const auto alert = alert::ParseTextRecord(rest, consumed);
    ASSERT_TRUE(alert.has_value());
    EXPECT_EQ(alert->id, "1715083200." + std::to_string(++records));
    rest.remove_prefix(consumed);
  }
  EXPECT_EQ(records, 50);
}

TEST_F(AlertWriterTest, CustomFormatReplacesTheRecordAndSpoolsTheStandardOne) {
  std::filesystem::create_directories(home_ / "queue/alerts/spool");
  std::ofstream(home_ / "queue/alerts/spool/2024-04-01.log") << "old\n\n";
  std::ofstream(home_ / "queue/alerts/spool/2024-05-06.log") << "yesterday\n\n";
  for (const char* name : {"2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04", "2024-05-05"}) {
    std::ofstream(home_ / fmt::format("queue/alerts/spool/{}.log", name)) << "day\n\n";
  }
  AlertWriter writer(home_, {.custom_format = "$RULEID $SRCIP"});
  writer.Open(kNoon);
  alert::Alert alert = Sample();
  Add(alert, writer);
  ASSERT_TRUE(writer.Flush());
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "5715 192.0.2.1\n");
  EXPECT_THAT(Read("queue/alerts/spool/2024-05-07.log"), StartsWith("** Alert 1715083200.1: "));
  EXPECT_FALSE(Exists("queue/alerts/spool/2024-04-01.log"));
  EXPECT_TRUE(Exists("queue/alerts/spool/2024-05-06.log"));
}

TEST_F(AlertWriterTest, KeepsTheNewestSpoolsWhenTheClockRunsAhead) {
  std::filesystem::create_directories(home_ / "queue/alerts/spool");
  for (int day = 1; day <= 9; ++day) {
    std::ofstream(home_ / fmt::format("queue/alerts/spool/2024-05-{:02}.log", day)) << "x\n\n";
  }
  AlertWriter writer(home_, {.custom_format = "$RULEID"});
  constexpr base::Seconds kTenYears = 10 * 365 * 86400;
  writer.Open(kNoon + kTenYears);
  EXPECT_FALSE(Exists("queue/alerts/spool/2024-05-03.log"));
  EXPECT_TRUE(Exists("queue/alerts/spool/2024-05-04.log"));
  EXPECT_TRUE(Exists("queue/alerts/spool/2024-05-09.log"));
}

TEST_F(AlertWriterTest, ReloadOpensAndClosesWhatChanged) {
  AlertWriter writer(home_, {});
  writer.Open(kNoon);
  alert::Alert alert = Sample();
  Add(alert, writer);
  ASSERT_TRUE(writer.Flush());
  writer.SetOptions({.alerts_json = true});
  Add(alert, writer);
  ASSERT_TRUE(writer.Flush());
  EXPECT_EQ(alert.id, "1715083200.2");
  EXPECT_THAT(Read("logs/alerts/alerts.log"), HasSubstr("1715083200.2"));
  EXPECT_THAT(Read("logs/alerts/alerts.json"), HasSubstr("1715083200.2"));
}

TEST_F(AlertWriterTest, RefusesToStartWhereItCannotWrite) {
  std::ofstream(home_ / "logs") << "no directory";
  AlertWriter writer(home_, {});
  EXPECT_THROW(writer.Open(kNoon), Error);
}

TEST_F(AlertWriterTest, MakesDeletedFilesAgain) {
  AlertWriter writer(home_, {});
  writer.Open(kNoon);
  std::filesystem::remove_all(home_ / "logs/alerts");
  writer.ReopenDeleted();
  alert::Alert alert = Sample();
  Add(alert, writer);
  ASSERT_TRUE(writer.Flush());
  EXPECT_THAT(Read("logs/alerts/alerts.log"), HasSubstr("** Alert"));
}

TEST_F(AlertWriterTest, WritesNothingIntoAFileThatNobodyCanFind) {
  AlertWriter writer(home_, {.alerts_json = true});
  writer.Open(kNoon);
  alert::Alert alert = Sample();
  Add(alert, writer);
  // Between two looks at it, with its whole directory.
  std::filesystem::remove_all(home_ / "logs/alerts");
  ASSERT_TRUE(writer.Flush());
  EXPECT_THAT(Read("logs/alerts/alerts.log"), HasSubstr("** Alert"));
  EXPECT_THAT(Read("logs/alerts/alerts.json"), HasSubstr("\"id\""));
}

TEST_F(AlertWriterTest, KeepsEverythingWhileADirectoryCannotBeMade) {
  AlertWriter writer(home_, {});
  writer.Open(kNoon);
  alert::Alert alert = Sample();
  Add(alert, writer);
  std::filesystem::remove_all(home_ / "logs/alerts");
  std::ofstream(home_ / "logs/alerts") << "in the way";
  EXPECT_FALSE(writer.Flush());
  EXPECT_THAT(writer.failure().text, HasSubstr("logs/alerts"));
  EXPECT_EQ(writer.pending().records(), 1u);
  EXPECT_EQ(writer.pending_records().alerts, 1u);
  std::filesystem::remove(home_ / "logs/alerts");
  ASSERT_TRUE(writer.Flush());
  EXPECT_THAT(Read("logs/alerts/alerts.log"), HasSubstr("** Alert"));
  EXPECT_EQ(writer.pending_records().alerts, 0u);
}

// The clock goes back a day while the writer runs, then the writer is started again, then the day
// comes anew: no id twice, and a consumer gets every alert once.
TEST_F(AlertWriterTest, NumbersNoAlertTwiceAndLosesNoneWhenTheClockIsSetBackADay) {
  std::filesystem::create_directories(home_ / "queue/cursor");
  alert::AlertFollower follower(home_, "maild", {});
  std::set<std::string> written;
  std::vector<std::string> followed;
  const auto write = [&](AlertWriter& writer, base::Seconds now, int count) {
    if (writer.IsNewDay(now)) writer.StartDay(now);
    for (int i = 0; i < count; ++i) {
      alert::Alert alert = Sample(now);
      Add(alert, writer);
      EXPECT_TRUE(written.insert(alert.id).second) << alert.id;
    }
    ASSERT_TRUE(writer.Flush());
    alert::Cursor last;
    while (const auto found = follower.Next(now)) {
      followed.push_back(found->alert.id);
      last = found->after;
    }
    ASSERT_TRUE(follower.Confirm(last));
  };
  {
    AlertWriter writer(home_, {});
    writer.Open(kNoon);
    follower.Start(kNoon);
    write(writer, kNoon, 2000);
    write(writer, kNoon + kDay, 3);  // few bytes, high numbers
    write(writer, kNoon, 5);         // set back
  }
  {
    AlertWriter writer(home_, {});
    writer.Open(kNoon);
    write(writer, kNoon, 4000);
    write(writer, kNoon + kDay, 7);
  }
  AlertWriter writer(home_, {});
  writer.Open(kNoon + kDay);
  write(writer, kNoon + kDay, 3000);
  EXPECT_EQ(followed.size(), written.size());
  EXPECT_EQ(std::set<std::string>(followed.begin(), followed.end()), written);
}

}  // namespace
}  // namespace ospatrol::analysisd
