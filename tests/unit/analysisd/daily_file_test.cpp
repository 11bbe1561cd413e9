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

  std::string ReadLink() const { return Read("logs/alerts/alerts.log"); }

  TemporaryDirectory directory_;
  Home home_{directory_.path()};
};

// The file of kDay is open.
class OpenDailyFile : public DailyFileTest {
 protected:
  OpenDailyFile() { file_.Open(kDay); }

  DailyFile file_{home_, kAlertNames};
};

TEST_F(OpenDailyFile, HasAPathByDateAndALinkOfTheSameFile) {
  ASSERT_TRUE(file_.Append("record\n\n"));
  EXPECT_EQ(Read("logs/alerts/2024/May/ospatrol-alerts-07.log"), "record\n\n");
  EXPECT_EQ(ReadLink(), "record\n\n");
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
  EXPECT_EQ(ReadLink(), "one\n\ntwo\n\n");
  EXPECT_FALSE(Exists("logs/alerts/alerts.log.new"));
}

TEST_F(OpenDailyFile, MovesTheLinkAtADayChangeAndKeepsTheOldFile) {
  ASSERT_TRUE(file_.Append("old\n\n"));
  file_.Open(kNextDay);
  ASSERT_TRUE(file_.Append("new\n\n"));
  EXPECT_EQ(Read("logs/alerts/2024/May/ospatrol-alerts-07.log"), "old\n\n");
  EXPECT_EQ(ReadLink(), "new\n\n");
  EXPECT_FALSE(Exists("logs/alerts/alerts.log.new"));
}

TEST_F(OpenDailyFile, RemovesAnEmptyFileOfTheDayBefore) {
  file_.Open(kNextDay);
  EXPECT_FALSE(Exists("logs/alerts/2024/May/ospatrol-alerts-07.log"));
  EXPECT_TRUE(Exists("logs/alerts/2024/May/ospatrol-alerts-08.log"));
}

TEST_F(OpenDailyFile, KeepsItsFileWhenTheNewDayCannotBegin) {
  Put("logs/alerts/2025", "a file where a directory should be");
  EXPECT_THROW(file_.Open({2025, 0, 1}), Error);
  ASSERT_TRUE(file_.Append("still\n\n"));
  EXPECT_EQ(ReadLink(), "still\n\n");
}

TEST_F(OpenDailyFile, IsMadeAgainWhenSomebodyDeletedIt) {
  ASSERT_TRUE(file_.Append("lost\n\n"));
  std::filesystem::remove(home_ / "logs/alerts/alerts.log");
  file_.ReopenIfGone();  // one link is left
  EXPECT_EQ(file_.Size(), 6u);
  std::filesystem::remove(file_.path());
  file_.ReopenIfGone();
  ASSERT_TRUE(file_.Append("new\n\n"));
  EXPECT_EQ(ReadLink(), "new\n\n");
}

TEST_F(OpenDailyFile, IsMadeAgainWhenSomebodyMovedOrReplacedIt) {
  ASSERT_TRUE(file_.Append("old\n\n"));
  std::filesystem::remove(home_ / "logs/alerts/alerts.log");
  std::filesystem::rename(file_.path(), home_ / "moved");
  file_.ReopenIfGone();
  ASSERT_TRUE(file_.Append("second\n\n"));
  EXPECT_EQ(Read("moved"), "old\n\n");
  EXPECT_EQ(ReadLink(), "second\n\n");

  std::filesystem::remove(file_.path());
  Put(file_.relative_path(), "third\n\n");
  file_.ReopenIfGone();
  ASSERT_TRUE(file_.Append("fourth\n\n"));
  EXPECT_EQ(ReadLink(), "third\n\nfourth\n\n");
}

TEST_F(OpenDailyFile, GetsItsNameBackWhenOnlyThatWasDeleted) {
  ASSERT_TRUE(file_.Append("first\n\n"));
  std::filesystem::remove(file_.path());
  file_.ReopenIfGone();
  ASSERT_TRUE(file_.Append("second\n\n"));
  EXPECT_EQ(Read(file_.relative_path()), "first\n\nsecond\n\n");
  EXPECT_EQ(ReadLink(), "first\n\nsecond\n\n");
}

TEST_F(DailyFileTest, ReplacesADanglingLink) {
  std::filesystem::create_directories(home_ / "logs/alerts");
  std::filesystem::create_symlink("nowhere", home_ / "logs/alerts/alerts.log");
  Put("logs/alerts/alerts.log.new", "left behind by a killed process");
  DailyFile file(home_, kAlertNames);
  file.Open(kDay);
  ASSERT_TRUE(file.Append("x\n\n"));
  EXPECT_EQ(ReadLink(), "x\n\n");
}

TEST_F(DailyFileTest, WithoutAStemIsNamedByItsDateAlone) {
  DailyFile file(home_, {"queue/alerts/spool", "", "log", ""});
  file.Open(kDay);
  ASSERT_TRUE(file.Append("x\n"));
  EXPECT_EQ(Read("queue/alerts/spool/2024-05-07.log"), "x\n");
}

TEST_F(OpenDailyFile, NeverLeavesAPartOfAGroupWhenTheDiskIsFull) {
  ASSERT_TRUE(file_.Append("first\n\n"));
  const std::string group = "second " + std::string(100, 'x') + "\n\n";
  {
    const FileSizeLimit limit(50);
    EXPECT_FALSE(file_.Append(group));
    EXPECT_EQ(errno, EFBIG);
    EXPECT_EQ(ReadLink(), "first\n\n");
    EXPECT_FALSE(file_.Append(group));
  }
  ASSERT_TRUE(file_.Append(group + "third\n\n"));  // the group grew meanwhile
  EXPECT_EQ(ReadLink(), "first\n\n" + group + "third\n\n");
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
