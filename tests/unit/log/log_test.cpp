#include "log/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "../file_size_limit.h"
#include "../temporary_directory.h"
#include "base/files.h"
#include "base/text.h"

namespace ospatrol::log {
namespace {

constexpr Message kNumbered{9999, Level::kWarn, "Disk of '{}' is {} % full.", "Test only."};
constexpr Message kPlain{0, Level::kInfo, "Hello {}.", "Test only."};

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Configure("ospatrol-test", file_, false);
    SetDebugLevel(0);
  }
  void TearDown() override {
    Configure("ospatrol-test", {}, true);
    SetDebugLevel(0);
  }

  // What follows "2026/08/12 16:55:11 " in each line of the log; fails the test where that is
  // missing.
  std::vector<std::string> Lines() {
    constexpr std::string_view kForm = "dddd/dd/dd dd:dd:dd ";
    const std::string content = base::ReadFileIfPresent(file_).value_or("");
    std::vector<std::string> lines;
    for (const std::string_view line : base::SplitWords(content, "\n")) {
      std::string form(line.substr(0, kForm.size()));
      for (char& c : form) c = base::IsDigit(c) ? 'd' : c;
      EXPECT_EQ(form, kForm) << line;
      lines.emplace_back(line.substr(form.size()));
    }
    return lines;
  }

  const TemporaryDirectory temporary_;
  const std::filesystem::path directory_ = temporary_.path();
  const std::filesystem::path file_ = directory_ / "ospatrol.log";
};

TEST_F(LogTest, WritesProgramNumberAndLevel) {
  Write<kNumbered>("/var", 93);
  Write<kPlain>("there");
  EXPECT_THAT(Lines(),
              testing::ElementsAre("ospatrol-test(9999): WARN: Disk of '/var' is 93 % full.",
                                   "ospatrol-test: INFO: Hello there."));
}

TEST_F(LogTest, ForeignTextCannotForgeALine) {
  Write<kPlain>("x\n2026/01/01 00:00:00 ospatrol-execd: ERROR: forged {} %s");
  EXPECT_THAT(Lines(), testing::ElementsAre("ospatrol-test: INFO: Hello x\\n2026/01/01 00:00:00 "
                                            "ospatrol-execd: ERROR: forged {} %s."));
}

TEST_F(LogTest, DebugLinesNeedTheirLevel) {
  Debug(1, "one");
  SetDebugLevel(1);
  Debug(1, "two {}", 2);
  Debug(2, "three");
  SetDebugLevel(2);
  Debug(2, "four");
  EXPECT_THAT(Lines(),
              testing::ElementsAre("ospatrol-test: DEBUG: two 2", "ospatrol-test: DEBUG: four"));
}

TEST_F(LogTest, GoesOnInANewFileWhenTheOldOneWasMoved) {
  Write<kPlain>("one");
  std::filesystem::rename(file_, directory_ / "moved");
  Write<kPlain>("two");
  EXPECT_THAT(Lines(), testing::ElementsAre("ospatrol-test: INFO: Hello two."));
}

TEST_F(LogTest, ANewFileIsWritableByTheGroupWhateverTheUmask) {
  const mode_t before = umask(077);
  Write<kPlain>("one");
  umask(before);
  struct stat facts {};
  ASSERT_EQ(stat(file_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0660U);
}

TEST_F(LogTest, ANewFileOfRootBelongsToTheOwnerOfTheDirectory) {
  if (geteuid() != 0) GTEST_SKIP() << "changing owners needs root";
  ASSERT_EQ(chown(directory_.c_str(), 4321, 8765), 0);
  Write<kPlain>("one");
  struct stat facts {};
  ASSERT_EQ(stat(file_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, 4321U);
  EXPECT_EQ(facts.st_gid, 8765U);
}

TEST_F(LogTest, FollowsNoSymbolicLink) {
  base::WriteFileAtomically(directory_ / "victim", "", 0600);
  std::filesystem::create_symlink(directory_ / "victim", file_);
  testing::internal::CaptureStderr();
  Write<kPlain>("one");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("Hello one."));
  EXPECT_EQ(base::ReadFile(directory_ / "victim"), "");
}

TEST_F(LogTest, IsNotStoppedByAFifoInPlaceOfTheFile) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  const base::Fd reader = base::OpenFile(file_, O_RDONLY | O_NONBLOCK);
  testing::internal::CaptureStderr();
  Write<kPlain>("one");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("Hello one."));
}

TEST_F(LogTest, GoesToStandardErrorWhenTheFileCannotBeOpened) {
  SetFile(directory_ / "missing/ospatrol.log");
  testing::internal::CaptureStderr();
  Write<kPlain>("one");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr(" ospatrol-test: INFO: Hello one.\n"));
}

TEST_F(LogTest, GoesToBothOnRequest) {
  SetAlsoStderr(true);
  testing::internal::CaptureStderr();
  Write<kPlain>("one");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("Hello one.\n"));
  EXPECT_EQ(Lines().size(), 1U);
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  constexpr int kThreads = 4, kEach = 200;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([i] {
      for (int j = 0; j < kEach; ++j) Write<kPlain>(std::string(200, static_cast<char>('a' + i)));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto lines = Lines();
  EXPECT_EQ(lines.size(), size_t{kThreads * kEach});
  for (const auto& line : lines) {
    EXPECT_EQ(line, "ospatrol-test: INFO: Hello " + std::string(200, line[30]) + ".");
  }
}

TEST_F(LogTest, KeepsErrnoOfTheCaller) {
  SetFile(directory_ / "missing/ospatrol.log");
  testing::internal::CaptureStderr();
  errno = EXDEV;
  Write<kPlain>("one");
  EXPECT_EQ(errno, EXDEV);
  testing::internal::GetCapturedStderr();
}

TEST_F(LogTest, FatalCarriesTheNumber) {
  const Error error = Fatal<kNumbered>("/", 100);
  EXPECT_EQ(error.id(), 9999);
  EXPECT_STREQ(error.what(), "Disk of '/' is 100 % full.");
}

TEST_F(LogTest, ARepeatedMessageIsWrittenOnceAMinute) {
  Limited<kPlain> limited;
  for (int i = 0; i < 1000; ++i) limited.Write("again");
  EXPECT_THAT(Lines(), testing::ElementsAre("ospatrol-test: INFO: Hello again."));
}

TEST_F(LogTest, WhatARepeatedMessageHeldBackIsToldWithoutAnotherOne) {
  {
    Limited<kPlain> limited;
    for (int i = 0; i < 1000; ++i) limited.Write("again");
    TellSuppressed(false);  // a minute has not passed
    EXPECT_EQ(Lines().size(), 1u);
    TellSuppressed(true);
    TellSuppressed(true);
    EXPECT_THAT(Lines(), testing::ElementsAre("ospatrol-test: INFO: Hello again.",
                                              "ospatrol-test: INFO: Hello again. (999 more since "
                                              "the last line)"));
    limited.Write("again");
  }
  EXPECT_THAT(Lines().back(), testing::EndsWith("Hello again. (1 more since the last line)"));
}

TEST_F(LogTest, ALineThatTheDiskCutsGoesToStandardErrorAndSpoilsNoOther) {
  Write<kPlain>("first");
  testing::internal::CaptureStderr();
  {
    const FileSizeLimit limit(base::ReadFile(file_).size() + 30);
    Write<kPlain>(std::string(100, 'x'));
  }
  // Captured in a file, which the limit cuts, too.
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("Hello xxx"));
  Write<kPlain>("third");
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines.back(), "ospatrol-test: INFO: Hello third.");
}

}  // namespace
}  // namespace ospatrol::log
