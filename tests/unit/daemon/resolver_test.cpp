#include "daemon/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "base/files.h"
#include "base/text.h"
#include "in_a_child.h"
#include "log/log.h"

namespace ospatrol::daemon {
namespace {

using std::chrono::milliseconds;
using testing::AnyOf;
using testing::Contains;
using testing::IsEmpty;

constexpr Identity kNobody{65534, 65534};

// The resolver's child among the children of this process; -1 when there is none.
pid_t ResolverChild() {
  const std::string children =
      base::ReadFile("/proc/self/task/" + std::to_string(getpid()) + "/children");
  for (const std::string_view word : base::SplitWords(children, " \n")) {
    const std::string name = base::ReadFile("/proc/" + std::string(word) + "/comm");
    if (name == "ospatrol-dns\n") return base::ParseNumber<pid_t>(word).value_or(-1);
  }
  return -1;
}

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest()
      : resolver_(std::in_place, kNobody), deadline_(loop_.After(milliseconds(60'000), [this] {
          ADD_FAILURE() << "waited in vain";
          loop_.Stop();
        })) {
    resolver_->Attach(loop_);
  }

  // Asks and runs the loop until all have answered.
  std::vector<std::vector<std::string>> Ask(const std::vector<std::string>& names) {
    std::vector<std::vector<std::string>> answers(names.size());
    size_t missing = names.size();
    for (size_t i = 0; i < names.size(); ++i) {
      resolver_->Resolve(names[i], [&, i](const std::vector<std::string>& addresses) {
        answers[i] = addresses;
        if (--missing == 0) loop_.Stop();
      });
    }
    EXPECT_EQ(missing, names.size()) << "no callback within Resolve()";
    loop_.Run();
    return answers;
  }

  EventLoop loop_;
  std::optional<Resolver> resolver_;
  EventLoop::Registration deadline_;
};

TEST_F(ResolverTest, FindsAddresses) {
  const auto answers = Ask({"localhost", "192.0.2.7", "2001:db8::7"});
  EXPECT_THAT(answers[0], Contains(AnyOf("127.0.0.1", "::1")));
  EXPECT_THAT(answers[1], testing::ElementsAre("192.0.2.7"));
  EXPECT_THAT(answers[2], testing::ElementsAre("2001:db8::7"));
}

TEST_F(ResolverTest, AnswersImpossibleNamesWithNothing) {
  for (const auto& answer :
       Ask({"", "two words", "new\nline", std::string(254, 'a'), "a..b", "256.1.1.1x x"})) {
    EXPECT_THAT(answer, IsEmpty());
  }
}

TEST_F(ResolverTest, AnswersManyQuestionsAtOnce) {
  const auto answers = Ask(std::vector<std::string>(300, "192.0.2.7"));
  for (const auto& answer : answers) EXPECT_THAT(answer, testing::ElementsAre("192.0.2.7"));
}

TEST_F(ResolverTest, AnswersWithNothingWhenTheChildIsGone) {
  Ask({"192.0.2.7"});  // by now it has its name
  testing::internal::CaptureStderr();
  ASSERT_TRUE(SignalChild(ResolverChild(), SIGKILL));
  EXPECT_THAT(Ask({"localhost", "localhost"}), testing::Each(IsEmpty()));
  EXPECT_THAT(Ask({"localhost"}), testing::Each(IsEmpty()));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("(9008): ERROR"));
}

TEST_F(ResolverTest, TheChildOutlivesSignalsToTheGroupAndEndsWithItsOwner) {
  Ask({"192.0.2.7"});  // by now it has set itself up
  const pid_t child = ResolverChild();
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ASSERT_TRUE(SignalChild(child, number));
  EXPECT_THAT(Ask({"192.0.2.7"})[0], testing::ElementsAre("192.0.2.7"));
  resolver_.reset();
  EXPECT_EQ(ResolverChild(), -1);
}

TEST_F(ResolverTest, TheChildHasNoRightsAndNoFilesOfItsParent) {
  if (geteuid() != 0) GTEST_SKIP() << "changing identity needs root";
  Ask({"192.0.2.7"});
  const std::filesystem::path process = "/proc/" + std::to_string(ResolverChild());
  const std::string status = base::ReadFile(process / "status");
  for (const char* line : {"Name:\tospatrol-dns\n", "Uid:\t65534\t65534", "Groups:\t65534 \n",
                           "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
                           "NoNewPrivs:\t1", "Seccomp:\t2"}) {
    EXPECT_THAT(status, testing::HasSubstr(line));
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(process / "fd")) {
    files.push_back(std::filesystem::read_symlink(entry));
  }
  EXPECT_THAT(files, testing::UnorderedElementsAre("/dev/null", "/dev/null", "/dev/null",
                                                   testing::StartsWith("socket:")));
}

TEST_F(ResolverTest, ACallbackMayDestroyTheResolver) {
  resolver_->Resolve("192.0.2.7", [&](const std::vector<std::string>&) {
    resolver_.reset();
    loop_.Post([&] { loop_.Stop(); });
  });
  loop_.Run();
  EXPECT_FALSE(resolver_);
}

}  // namespace
}  // namespace ospatrol::daemon
