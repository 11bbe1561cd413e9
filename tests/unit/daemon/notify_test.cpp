#include "daemon/notify.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "../temporary_directory.h"

namespace ospatrol::daemon {
namespace {

// The service manager's end.
class Listener {
 public:
  explicit Listener(const std::string& path) : socket_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  std::string Next() const {
    std::array<char, 256> space{};
    const ssize_t got = recv(socket_.get(), space.data(), space.size(), MSG_DONTWAIT);
    return got < 0 ? "nothing" : std::string(space.data(), static_cast<size_t>(got));
  }

 private:
  base::Fd socket_;
};

class NotifierTest : public ::testing::Test {
 protected:
  void SetUp() override { TearDown(); }
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  const TemporaryDirectory directory_;
};

TEST_F(NotifierTest, TellsTheStatesOfADaemon) {
  const Listener manager((directory_ / "notify").native());
  Notifier notifier;
  notifier.Ready();
  notifier.Reloading();
  notifier.Alive();
  notifier.Stopping();
  EXPECT_EQ(manager.Next(), fmt::format("MAINPID={}\nREADY=1", getpid()));
  EXPECT_THAT(manager.Next(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  EXPECT_EQ(manager.Next(), "WATCHDOG=1");
  EXPECT_EQ(manager.Next(), "STOPPING=1");
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
}

TEST_F(NotifierTest, KnowsAbstractSockets) {
  const Listener manager(fmt::format("@ospatrol-notify-{}", getpid()));
  Notifier().Ready();
  EXPECT_THAT(manager.Next(), testing::HasSubstr("READY=1"));
}

TEST_F(NotifierTest, IsSilentWithoutAManager) {
  Notifier().Ready();
  setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
  setenv("WATCHDOG_USEC", "1000000", 1);
  Notifier notifier;
  notifier.Ready();
  EXPECT_FALSE(notifier.watchdog_interval());
}

TEST_F(NotifierTest, AnswersTheWatchdogTwiceAsOftenAsAsked) {
  const Listener manager((directory_ / "notify").native());
  setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(Notifier().watchdog_interval(), std::chrono::milliseconds(1500));

  setenv("NOTIFY_SOCKET", (directory_ / "notify").c_str(), 1);
  setenv("WATCHDOG_USEC", "3000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid() + 1).c_str(), 1);  // meant for another process
  EXPECT_FALSE(Notifier().watchdog_interval());
}

}  // namespace
}  // namespace ospatrol::daemon
