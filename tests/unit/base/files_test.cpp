#include "base/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>

#include "../temporary_directory.h"
#include "base/error.h"

namespace ospatrol::base {
namespace {

using testing::HasSubstr;

mode_t ModeOf(const std::filesystem::path& path) {
  struct stat facts {};
  EXPECT_EQ(stat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777;
}

std::string ErrorOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ReadFile, GivesBackWhatWasWritten) {
  const TemporaryDirectory directory;
  for (const size_t size : {0, 1, 4095, 4096, 4097, 100000}) {
    std::string content(size, 'x');
    if (size > 2) content[1] = '\0';
    WriteFileAtomically(directory / "file", content, 0640);
    EXPECT_EQ(ReadFile(directory / "file"), content);
  }
}

TEST(ReadFile, ReadsFilesThatClaimToBeEmpty) {
  EXPECT_THAT(ReadFile("/proc/self/status"), HasSubstr("Pid:"));
}

TEST(ReadFile, NamesTheFileAndTheReason) {
  const TemporaryDirectory directory;
  const std::string missing = (directory / "missing").native();
  EXPECT_EQ(ErrorOf([&] { ReadFile(missing); }),
            missing + ": cannot read: No such file or directory");
  EXPECT_EQ(ErrorOf([&] { ReadFile(directory.path()); }),
            directory.path().native() + ": cannot read: Is a directory");
}

TEST(ReadFile, RefusesWhatIsLargerThanTheLimit) {
  const TemporaryDirectory directory;
  WriteFileAtomically(directory / "file", std::string(100, 'x'), 0640);
  EXPECT_EQ(ReadFile(directory / "file", 100).size(), 100U);
  EXPECT_THAT(ErrorOf([&] { ReadFile(directory / "file", 99); }), HasSubstr("limit of 99 bytes"));
}

TEST(ReadFileIfPresent, IsNothingOnlyWhenTheFileIsMissing) {
  const TemporaryDirectory directory;
  EXPECT_EQ(ReadFileIfPresent(directory / "missing"), std::nullopt);
  EXPECT_THROW(ReadFileIfPresent(directory.path()), Error);
}

TEST(WriteFileAtomically, ReplacesTheFileAndLeavesNothingElse) {
  const TemporaryDirectory directory;
  const mode_t umask_before = umask(077);
  WriteFileAtomically(directory / "file", "old", 0600);
  WriteFileAtomically(directory / "file", "new", 0644);
  umask(umask_before);
  EXPECT_EQ(ReadFile(directory / "file"), "new");
  EXPECT_EQ(ModeOf(directory / "file"), 0644U);
  const auto entries = std::filesystem::directory_iterator(directory.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenItCannotWrite) {
  const TemporaryDirectory directory;
  std::filesystem::create_directories(directory / "target/inside");
  EXPECT_THROW(WriteFileAtomically(directory / "target", "x", 0640), Error);
  EXPECT_TRUE(std::filesystem::exists(directory / "target/inside"));
  const auto entries = std::filesystem::directory_iterator(directory.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
  EXPECT_THROW(WriteFileAtomically(directory / "no/such/place", "x", 0640), Error);
}

TEST(WriteAll, ContinuesAfterShortWrites) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const std::string sent(1 << 20, 'y');  // more than a pipe holds
  std::thread thread([&] {
    EXPECT_TRUE(WriteAll(writer.get(), sent));
    writer.reset();
  });
  std::string received;
  std::string chunk(4096, '\0');
  for (ssize_t got; (got = read(reader.get(), chunk.data(), chunk.size())) > 0;) {
    received.append(chunk, 0, static_cast<size_t>(got));
  }
  thread.join();
  EXPECT_EQ(received, sent);
}

TEST(WriteAll, SaysWhenTheBytesDidNotArrive) {
  const Fd full = OpenFile("/dev/full", O_WRONLY);
  ASSERT_TRUE(full);
  EXPECT_FALSE(WriteAll(full.get(), "x"));
  EXPECT_EQ(errno, ENOSPC);
}

TEST(OpenFile, IsClosedOnExec) {
  const Fd fd = OpenFile("/dev/null", O_RDONLY);
  ASSERT_TRUE(fd);
  EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(OpenFile("/no/such/file", O_RDONLY));
  EXPECT_EQ(errno, ENOENT);
}

TEST(Fd, MovesOwnership) {
  Fd first = OpenFile("/dev/null", O_RDONLY);
  const int number = first.get();
  Fd second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT: the state after the move is what is tested
  EXPECT_EQ(second.get(), number);
  second.reset();
  EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

TEST(MakeDirectories, MakesEachMissingOneWithTheMode) {
  const TemporaryDirectory directory;
  const mode_t umask_before = umask(027);
  MakeDirectories(directory / "2026/Aug/x", 0770);
  MakeDirectories(directory / "2026/Aug/x", 0700);
  umask(umask_before);
  EXPECT_EQ(ModeOf(directory / "2026"), 0750U);
  EXPECT_EQ(ModeOf(directory / "2026/Aug/x"), 0750U);
}

TEST(MakeDirectories, SaysWhatIsInTheWay) {
  const TemporaryDirectory directory;
  WriteFileAtomically(directory / "file", "", 0640);
  EXPECT_EQ(ErrorOf([&] { MakeDirectories(directory / "file", 0750); }),
            (directory / "file").native() + ": cannot make the directory: Not a directory");
  EXPECT_THROW(MakeDirectories(directory / "file/below", 0750), Error);
}

}  // namespace
}  // namespace ospatrol::base
