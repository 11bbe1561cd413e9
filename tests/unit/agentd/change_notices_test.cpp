#include "agentd/change_notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ospatrol::agentd {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ChangeNotices::Time At(int64_t second) { return ChangeNotices::Time(seconds(1000 + second)); }

TEST(ChangeNotices, TellsTheFirstChangeOfEachFileAtOnce) {
  ChangeNotices notices;
  EXPECT_THAT(notices.Note("a", "a modified", At(0)), ElementsAre("a modified"));
  EXPECT_THAT(notices.Note("b", "b removed", At(0)), ElementsAre("b removed"));
  EXPECT_EQ(notices.NextDue(), std::nullopt);
}

TEST(ChangeNotices, TellsWhatCameWithinTheMinuteAtItsEndThoughNothingElseHappens) {
  ChangeNotices notices;
  notices.Note("a", "a modified", At(0));
  EXPECT_THAT(notices.Note("a", "a modified again", At(10)), IsEmpty());
  EXPECT_THAT(notices.Note("a", "a removed", At(20)), IsEmpty());
  EXPECT_EQ(notices.NextDue(), At(60));
  EXPECT_THAT(notices.Due(At(59)), IsEmpty());
  EXPECT_THAT(notices.Due(At(60)), ElementsAre("a removed (1 times before)"));
  EXPECT_THAT(notices.Due(At(600)), IsEmpty()) << "each is told once";
  EXPECT_EQ(notices.NextDue(), std::nullopt);
}

TEST(ChangeNotices, CountsAgainFromWhatWasTold) {
  ChangeNotices notices;
  notices.Note("a", "first", At(0));
  notices.Note("a", "second", At(1));
  EXPECT_THAT(notices.Note("a", "third", At(61)), ElementsAre("third (1 times before)"));
  EXPECT_THAT(notices.Note("a", "fourth", At(62)), IsEmpty());
  EXPECT_EQ(notices.NextDue(), At(121));
  EXPECT_THAT(notices.Note("a", "fifth", At(130)), ElementsAre("fifth (1 times before)"));
  EXPECT_THAT(notices.Note("a", "sixth", At(300)), ElementsAre("sixth"));
}

TEST(ChangeNotices, GivesEverythingThatIsHeldWhenTheDaemonStops) {
  ChangeNotices notices;
  notices.Note("a", "first", At(0));
  notices.Note("a", "second", At(1));
  notices.Note("b", "b first", At(1));
  EXPECT_THAT(notices.TakeAll(), ElementsAre("second"));
  EXPECT_THAT(notices.TakeAll(), IsEmpty());
}

TEST(ChangeNotices, LosesNothingWhenThereAreMoreFilesThanItRemembers) {
  ChangeNotices notices;
  for (size_t i = 0; i < ChangeNotices::kMostFiles; ++i) {
    notices.Note(std::to_string(i), "first", At(0));
  }
  notices.Note("7", "second", At(1));
  EXPECT_THAT(notices.Note("new", "new added", At(2)), ElementsAre("second", "new added"));
}

}  // namespace
}  // namespace ospatrol::agentd
