#include "daemon/privileges.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>

#include "../temporary_directory.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "in_a_child.h"

namespace ospatrol::daemon {
namespace {

constexpr Identity kNobody{65534, 65533};
constexpr std::array<int, 2> kTwoCapabilities{2, 19};  // CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE

constexpr Program kChrooted{.name = "ospatrol-testd",
                            .user = "nobody",
                            .chroot = true,
                            .keep_caps = programs::kNoCapabilities,
                            .no_new_privileges = true};
constexpr Program kCollecting{.name = "ospatrol-testd",
                              .user = "nobody",
                              .chroot = false,
                              .keep_caps = kTwoCapabilities,
                              .no_new_privileges = true};
constexpr Program kRoot{.name = "ospatrol-testd",
                        .user = "root",
                        .chroot = false,
                        .keep_caps = programs::kNoCapabilities,
                        .no_new_privileges = false};

// A process that became `program` and waits to be looked at from outside.
class Became {
 public:
  Became(const Program& program, const Identity& identity, const std::filesystem::path& prefix) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    ours_ = base::Fd(ends[0]);
    base::Fd theirs(ends[1]);
    child_ = fork();
    if (child_ == 0) {
      ours_.reset();
      char byte = 'k';
      try {
        BecomeProgram(program, identity, prefix);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "in the child: %s\n", error.what());
        byte = 'e';
      }
      base::WriteAll(theirs.get(), std::string_view(&byte, 1));
      [[maybe_unused]] const ssize_t seen = read(theirs.get(), &byte, 1);  // until the test is done
      _exit(0);
    }
    theirs.reset();
    char byte = 0;
    succeeded_ = read(ours_.get(), &byte, 1) == 1 && byte == 'k';
  }
  Became(const Became&) = delete;
  Became& operator=(const Became&) = delete;
  ~Became() {
    ours_.reset();
    waitpid(child_, nullptr, 0);
  }

  bool succeeded() const { return succeeded_; }

  // "Uid" -> "65534 65534 65534 65534"
  std::map<std::string, std::string> Status() const {
    std::map<std::string, std::string> status;
    const std::string content = base::ReadFile("/proc/" + std::to_string(child_) + "/status");
    for (const std::string_view line : base::SplitWords(content, "\n")) {
      const size_t colon = line.find(':');
      if (colon == line.npos) continue;
      const std::string value(base::Trim(line.substr(colon + 1)));
      status.emplace(line.substr(0, colon), base::ReplaceAll(value, "\t", " "));
    }
    return status;
  }
  std::filesystem::path Root() const {
    return std::filesystem::read_symlink("/proc/" + std::to_string(child_) + "/root");
  }

 private:
  base::Fd ours_;
  pid_t child_ = -1;
  bool succeeded_ = false;
};

class BecomeProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "changing identity needs root";
  }
  const TemporaryDirectory directory_;
};

constexpr const char* kEmptySet = "0000000000000000";

TEST_F(BecomeProgramTest, AChrootedProgramKeepsNothing) {
  const Became child(kChrooted, kNobody, directory_.path());
  ASSERT_TRUE(child.succeeded());
  auto status = child.Status();
  EXPECT_EQ(status["Uid"], "65534 65534 65534 65534");
  EXPECT_EQ(status["Gid"], "65533 65533 65533 65533");
  EXPECT_EQ(status["Groups"], "65533");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_EQ(status[set], kEmptySet) << set;
  }
  EXPECT_EQ(status["NoNewPrivs"], "1");
  EXPECT_EQ(child.Root(), std::filesystem::canonical(directory_.path()));
}

TEST_F(BecomeProgramTest, AUserKeepsExactlyTheCapabilitiesOfTheRow) {
  const Became child(kCollecting, kNobody, directory_.path());
  ASSERT_TRUE(child.succeeded());
  auto status = child.Status();
  EXPECT_EQ(status["Uid"], "65534 65534 65534 65534");
  for (const char* set : {"CapPrm", "CapEff", "CapBnd"}) {
    EXPECT_EQ(status[set], "0000000000080004") << set;
  }
  EXPECT_EQ(status["CapInh"], kEmptySet);
  EXPECT_EQ(status["CapAmb"], kEmptySet);
  EXPECT_EQ(child.Root(), "/");
}

TEST_F(BecomeProgramTest, RootInAChrootWithoutCapabilitiesHasNone) {
  const Became child(kChrooted, {0, kNobody.gid}, directory_.path());
  ASSERT_TRUE(child.succeeded());
  auto status = child.Status();
  EXPECT_EQ(status["Uid"], "0 0 0 0");
  EXPECT_EQ(status["CapEff"], kEmptySet);
  EXPECT_EQ(status["CapBnd"], kEmptySet);
}

TEST_F(BecomeProgramTest, AProgramThatStaysRootKeepsItsRights) {
  const auto before = base::ReadFile("/proc/self/status");
  const Became child(kRoot, {0, kNobody.gid}, directory_.path());
  ASSERT_TRUE(child.succeeded());
  auto status = child.Status();
  EXPECT_NE(status["CapEff"], kEmptySet);
  EXPECT_THAT(before, testing::HasSubstr("CapEff:\t" + status["CapEff"]));
  EXPECT_EQ(status["Groups"], "65533");
  EXPECT_EQ(status["NoNewPrivs"], "0");
}

TEST_F(BecomeProgramTest, TheProgramCannotBecomeRootAgain) {
  EXPECT_EQ(StatusInAChild([&] {
              BecomeProgram(kChrooted, kNobody, directory_.path());
              return setuid(0) != 0 && setgid(0) != 0 && setgroups(0, nullptr) != 0 ? 0 : 1;
            }),
            0);
}

TEST_F(BecomeProgramTest, AMissingDirectoryIsAnError) {
  EXPECT_EQ(StatusInAChild([&] {
              try {
                BecomeProgram(kChrooted, kNobody, directory_ / "missing");
              } catch (const Error& error) {
                return error.id() == 1133 ? 0 : 1;
              }
              return 2;
            }),
            0);
}

TEST_F(BecomeProgramTest, AUserWhoIsNotRootGetsAnError) {
  EXPECT_EQ(StatusInAChild([&] {
              if (setresuid(kNobody.uid, kNobody.uid, kNobody.uid) != 0) return 3;
              try {
                BecomeProgram(kCollecting, kNobody, "/");
              } catch (const Error& error) {
                return error.id() == 9002 ? 0 : 1;
              }
              return 2;
            }),
            0);
}

TEST(LookUpIdentity, FindsUserAndGroup) {
  const Identity root = LookUpIdentity("root", "root");
  EXPECT_EQ(root.uid, 0U);
  EXPECT_EQ(root.gid, 0U);
}

TEST(LookUpIdentity, NamesWhatItDoesNotKnow) {
  for (const auto& [user, group] : {std::pair{"root", "no-such-group"}, {"no-such-user", "root"}}) {
    try {
      LookUpIdentity(user, group);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.id(), 1203);
      EXPECT_THAT(error.what(), testing::HasSubstr("no-such-"));
    }
  }
}

}  // namespace
}  // namespace ospatrol::daemon
