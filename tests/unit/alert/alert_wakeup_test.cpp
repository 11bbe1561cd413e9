#include "alert/alert_wakeup.h"

#include <poll.h>
#include <sys/stat.h>

#include "base/error.h"
#include "follower_fixture.h"

namespace ospatrol::alert {
namespace {

class AlertWakeUpTest : public FollowerFixture {
 protected:
  static bool IsAwake(const AlertWakeUp& wake_up) {
    std::array<pollfd, 2> polled{};
    for (size_t i = 0; i < polled.size(); ++i) {
      polled[i] = {wake_up.descriptors()[i], POLLIN, 0};
    }
    return ::poll(polled.data(), polled.size(), 0) > 0;
  }
};

TEST_F(AlertWakeUpTest, IsWokenByTheWritersDatagram) {
  OpenDay(kMay7);
  AlertWakeUp wake_up(home_, "maild", kTextFiles);
  wake_up.Clear();
  AlertNotifier notifier(home_);
  EXPECT_FALSE(IsAwake(wake_up));
  for (int i = 0; i < 1000; ++i) notifier.Notify();  // never waits
  EXPECT_TRUE(IsAwake(wake_up));
  wake_up.Clear();
  EXPECT_FALSE(IsAwake(wake_up));
}

TEST_F(AlertWakeUpTest, HasASocketOfItsGroupOnlyWhileItLives) {
  const std::filesystem::path path = home_ / "queue/alerts/notify.maild";
  {
    AlertWakeUp wake_up(home_, "maild", kTextFiles);
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0660));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(AlertWakeUpTest, TellsAllConsumersAndNobodyElse) {
  AlertWakeUp first(home_, "maild", kTextFiles);
  AlertWakeUp second(home_, "dbd", kTextFiles);
  std::ofstream(home_ / "queue/alerts/notify.file") << "";
  AlertNotifier notifier(home_);
  first.Clear();
  second.Clear();
  notifier.Notify();
  EXPECT_TRUE(IsAwake(first));
  EXPECT_TRUE(IsAwake(second));
}

TEST_F(AlertWakeUpTest, IsWokenByTheFileAlsoAfterADayChange) {
  OpenDay(kMay7);
  AlertWakeUp wake_up(home_, "maild", kTextFiles);
  wake_up.Clear();
  Append(kMay7, Record(1));
  EXPECT_TRUE(IsAwake(wake_up));
  wake_up.Clear();
  EXPECT_FALSE(IsAwake(wake_up));
  OpenDay(kMay8);
  EXPECT_TRUE(IsAwake(wake_up));
  wake_up.Clear();
  Append(kMay8, Record(2));
  EXPECT_TRUE(IsAwake(wake_up));
}

TEST_F(AlertWakeUpTest, SaysWhichSocketCannotBeBound) {
  std::filesystem::remove_all(home_ / "queue/alerts");
  EXPECT_THROW(AlertWakeUp(home_, "maild", kTextFiles), Error);
}

}  // namespace
}  // namespace ospatrol::alert
