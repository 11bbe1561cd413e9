#include "analysisd/daily_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "../file_size_limit.h"
#include "../temporary_directory.h"
#include "base/error.h"
#include "base/files.h"

namespace ospatrol::analysisd {
namespace {

constexpr DailyFileNames kAlertNames{{"logs/alerts", "ospatrol-alerts", "log", "alerts.log"},
                                     GroupFile::RecordEnd::kEmptyLine};
constexpr Day kDay{2024, 4, 7};
constexpr Day kNextDay{2024, 4, 8};

class DailyFileTest : public ::testing::Test {
 protected:
  std::string Read(const std::string& name) const { return base::ReadFile(home_ / name); }
  bool Exists(const std::string& name) const { return std::filesystem::exists(home_ / name); }
  void Put(const std::string& name, std::string_view content) const {
    std::filesystem::create_directories((home_ / name).parent_path());
    std::ofstream(home_ / name, std::ios::binary) << content;
  }

  TemporaryDirectory directory_;
  Home home_{directory_.path()};
};

TEST_F(DailyFileTest, HasAPathByDateAndALinkOfTheSameFile) {
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  ASSERT_TRUE(file.Append("record\n\n"));
  EXPECT_EQ(Read("logs/alerts/2024/May/ospatrol-alerts-07.log"), "record\n\n");
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "record\n\n");
  struct stat facts {};
  ASSERT_EQ(lstat((home_ / "logs/alerts/alerts.log").c_str(), &facts), 0);
  EXPECT_TRUE(S_ISREG(facts.st_mode));
  EXPECT_EQ(facts.st_nlink, 2u);
}

TEST_F(DailyFileTest, GoesOnBehindWhatIsThere) {
  {
    DailyFile file(home_, kAlertNames);
    file.Open(kDay);
    ASSERT_TRUE(file.Append("one\n\n"));
  }
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  EXPECT_EQ(file.Size(), 5u);
  ASSERT_TRUE(file.Append("two\n\n"));
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "one\n\ntwo\n\n");
  EXPECT_FALSE(Exists("logs/alerts/alerts.log.new"));
}

TEST_F(DailyFileTest, MovesTheLinkAtADayChangeAndKeepsTheOldFile) {
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  ASSERT_TRUE(file.Append("old\n\n"));
  file.Open(kNextDay);
  ASSERT_TRUE(file.Append("new\n\n"));
  EXPECT_EQ(Read("logs/alerts/2024/May/ospatrol-alerts-07.log"), "old\n\n");
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "new\n\n");
  EXPECT_FALSE(Exists("logs/alerts/alerts.log.new"));
}

TEST_F(DailyFileTest, RemovesAnEmptyFileOfTheDayBefore) {
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  file.Open(kNextDay);
  EXPECT_FALSE(Exists("logs/alerts/2024/May/ospatrol-alerts-07.log"));
  EXPECT_TRUE(Exists("logs/alerts/2024/May/ospatrol-alerts-08.log"));
}

TEST_F(DailyFileTest, KeepsItsFileWhenTheNewDayCannotBegin) {
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  Put("logs/alerts/2025", "a file where a directory should be");
  EXPECT_THROW(file.Open({2025, 0, 1}), Error);
  ASSERT_TRUE(file.Append("still\n\n"));
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "still\n\n");
}

TEST_F(DailyFileTest, IsMadeAgainWhenSomebodyDeletedIt) {
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  ASSERT_TRUE(file.Append("lost\n\n"));
  std::filesystem::remove(home_ / "logs/alerts/alerts.log");
  file.ReopenIfGone();  // one link is left
  EXPECT_EQ(file.Size(), 6u);
  std::filesystem::remove(file.path());
  file.ReopenIfGone();
  ASSERT_TRUE(file.Append("new\n\n"));
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "new\n\n");
}

TEST_F(DailyFileTest, IsMadeAgainWhenSomebodyMovedOrReplacedIt) {
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  ASSERT_TRUE(file.Append("old\n\n"));
  std::filesystem::remove(home_ / "logs/alerts/alerts.log");
  std::filesystem::rename(file.path(), home_ / "moved");
  file.ReopenIfGone();
  ASSERT_TRUE(file.Append("second\n\n"));
  EXPECT_EQ(Read("moved"), "old\n\n");
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "second\n\n");

  std::filesystem::remove(file.path());
  Put(file.relative_path(), "third\n\n");
  file.ReopenIfGone();
  ASSERT_TRUE(file.Append("fourth\n\n"));
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "third\n\nfourth\n\n");
}

TEST_F(DailyFileTest, GetsItsNameBackWhenOnlyThatWasDeleted) {
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  ASSERT_TRUE(file.Append("first\n\n"));
  std::filesystem::remove(file.path());
  file.ReopenIfGone();
  ASSERT_TRUE(file.Append("second\n\n"));
  EXPECT_EQ(Read(file.relative_path()), "first\n\nsecond\n\n");
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "first\n\nsecond\n\n");
}

TEST_F(DailyFileTest, ReplacesADanglingLink) {
  std::filesystem::create_directories(home_ / "logs/alerts");
  std::filesystem::create_symlink("nowhere", home_ / "logs/alerts/alerts.log");
  Put("logs/alerts/alerts.log.new", "left behind by a killed process");
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  ASSERT_TRUE(file.Append("x\n\n"));
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "x\n\n");
}

TEST_F(DailyFileTest, WithoutAStemIsNamedByItsDateAlone) {
  DailyFile file(home_, {"queue/alerts/spool", "", "log", ""});
  file.Open(kDay);
  ASSERT_TRUE(file.Append("x\n"));
  EXPECT_EQ(Read("queue/alerts/spool/2024-05-07.log"), "x\n");
}

TEST_F(DailyFileTest, NeverLeavesAPartOfAGroupWhenTheDiskIsFull) {
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  ASSERT_TRUE(file.Append("first\n\n"));
  const std::string group = "second " + std::string(100, 'x') + "\n\n";
  {
    const FileSizeLimit limit(50);
    EXPECT_FALSE(file.Append(group));
    EXPECT_EQ(errno, EFBIG);
    EXPECT_EQ(Read("logs/alerts/alerts.log"), "first\n\n");
    EXPECT_FALSE(file.Append(group));
  }
  ASSERT_TRUE(file.Append(group + "third\n\n"));  // the group grew meanwhile
  EXPECT_EQ(Read("logs/alerts/alerts.log"), "first\n\n" + group + "third\n\n");
}

struct Torn {
  const char* name;
  std::string before;
  std::string after;
  GroupFile::RecordEnd end;
};

class TornFile : public DailyFileTest, public ::testing::WithParamInterface<Torn> {};

TEST_P(TornFile, IsRepairedWhenItIsOpened) {
  Put("f", GetParam().before);
  const auto file = GroupFile::Open(home_ / "f", GetParam().end);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(Read("f"), GetParam().after);
}

constexpr auto kEmptyLine = GroupFile::RecordEnd::kEmptyLine;
constexpr auto kLineFeed = GroupFile::RecordEnd::kLineFeed;

INSTANTIATE_TEST_SUITE_P(
    GroupFile, TornFile,
    ::testing::Values(Torn{"Empty", "", "", kEmptyLine},
                      Torn{"Whole", "a\nb\n\n", "a\nb\n\n", kEmptyLine},
                      Torn{"EndsInTwoEmptyLines", "a\n\n\n", "a\n\n\n", kEmptyLine},
                      Torn{"RecordInTheMiddle", "a\n\nb\nhal", "a\n\n", kEmptyLine},
                      Torn{"RecordAtALineEnd", "a\n\nb\nc\n", "a\n\n", kEmptyLine},
                      Torn{"OnlyATornRecord", "b\nhal", "", kEmptyLine},
                      Torn{"WholeLines", "{}\n{}\n", "{}\n{}\n", kLineFeed},
                      Torn{"HalfALine", "{}\n{\"a\"", "{}\n", kLineFeed},
                      Torn{"BeyondTheTail", std::string(3 << 20, 'x'),
                           std::string(3 << 20, 'x') + "\n", kLineFeed}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Day, IsThatOfLocalTime) {
  setenv("TZ", "XXX-02:00", 1);
  tzset();
  EXPECT_EQ(DayOf(1715119199), (Day{2024, 4, 7}));  // 21:59:59 UTC
  EXPECT_EQ(DayOf(1715119200), (Day{2024, 4, 8}));
  unsetenv("TZ");
  tzset();
}

}  // namespace
}  // namespace ospatrol::analysisd
