#include "daemon/pid_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "../temporary_directory.h"
#include "base/error.h"
#include "base/files.h"

namespace ospatrol::daemon {
namespace {

class PidFileTest : public ::testing::Test {
 protected:
  PidFileTest() { std::filesystem::create_directories(directory_ / "var/run"); }

  const TemporaryDirectory directory_;
  const Home home_{directory_.path()};
  const std::filesystem::path path_ =
      directory_ / fmt::format("var/run/ospatrol-testd-{}.pid", getpid());
};

TEST_F(PidFileTest, HoldsThePidAsLongAsTheObjectLives) {
  {
    const PidFile file(home_, "ospatrol-testd");
    EXPECT_EQ(file.path(), path_);
    EXPECT_EQ(base::ReadFile(path_), fmt::format("{}\n", getpid()));
    struct stat facts {};
    ASSERT_EQ(stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0640U);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PidFileTest, ReplacesALeftoverOfADeadProcess) {
  base::WriteFileAtomically(path_, "leftover", 0600);
  const PidFile file(home_, "ospatrol-testd");
  EXPECT_EQ(base::ReadFile(path_), fmt::format("{}\n", getpid()));
}

TEST_F(PidFileTest, WritesThroughNoLink) {
  base::WriteFileAtomically(directory_ / "victim", "untouched", 0600);
  std::filesystem::create_symlink(directory_ / "victim", path_);
  const PidFile file(home_, "ospatrol-testd");
  EXPECT_EQ(base::ReadFile(directory_ / "victim"), "untouched");
  EXPECT_FALSE(std::filesystem::is_symlink(path_));
}

TEST_F(PidFileTest, AnErrorHasTheNumberOfTheReference) {
  std::filesystem::remove(directory_ / "var/run");
  try {
    const PidFile file(home_, "ospatrol-testd");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), 1212);
  }
}

TEST_F(PidFileTest, AChildDoesNotRemoveTheFileOfItsParent) {
  std::optional<PidFile> file(std::in_place, home_, "ospatrol-testd");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    file.reset();
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace ospatrol::daemon
