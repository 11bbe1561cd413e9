#include "monitord/agent_watch.h"

#include <gmock/gmock.h>

namespace ospatrol::monitord {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = AgentWatch::Change::Kind;
using Change = AgentWatch::Change;

constexpr seconds kLimit{1830};
constexpr seconds kSettle{630};

class AgentWatchTest : public ::testing::Test {
 protected:
  struct Sign {
    std::string label;
    std::optional<int> seconds_ago;  // at the time of the look
  };
  static Sign Heard(const std::string& label, int seconds_ago) { return {label, seconds_ago}; }
  static Sign Silent(const std::string& label) { return {label, std::nullopt}; }

  std::vector<AgentWatch::Agent> At(base::Seconds wall, const std::vector<Sign>& signs) const {
    std::vector<AgentWatch::Agent> agents;
    for (const Sign& sign : signs) {
      AgentWatch::Agent& agent = agents.emplace_back();
      agent.label = sign.label;
      if (sign.seconds_ago) agent.heard = wall - *sign.seconds_ago;
    }
    return agents;
  }
  // Looks after `passed` seconds.
  std::vector<Change> Look(int passed, const std::vector<Sign>& signs, size_t most = 100) {
    wall_ += passed;
    now_ += seconds(passed);
    return watch_.Look(At(wall_, signs), wall_, now_, most);
  }

  base::Seconds wall_ = 1'790'000'000;
  AgentWatch::Monotonic now_{seconds(1000)};
  AgentWatch watch_{kLimit, kSettle};
};

TEST_F(AgentWatchTest, TellsOfAnAgentThatIsLostOnceAndThatItIsBackOnce) {
  EXPECT_THAT(Look(0, {Heard("a-any", 5)}), IsEmpty());
  EXPECT_THAT(Look(1000, {Heard("a-any", 900)}), IsEmpty());
  EXPECT_THAT(Look(1000, {Heard("a-any", 2000)}),
              ElementsAre(Change{Kind::kDisconnected, "a-any"}));
  EXPECT_THAT(Look(30, {Heard("a-any", 2000)}), IsEmpty());
  EXPECT_THAT(Look(30, {Heard("a-any", 1)}), ElementsAre(Change{Kind::kReconnected, "a-any"}));
  EXPECT_THAT(Look(30, {Heard("a-any", 1)}), IsEmpty());
}

TEST_F(AgentWatchTest, GivesAgentsTimeAfterAStartOfTheManager) {
  watch_.Restore("a 1780000000 a-any\n");
  EXPECT_THAT(Look(0, {Heard("a-any", 90000)}), IsEmpty());
  EXPECT_THAT(Look(600, {Heard("a-any", 90000)}), IsEmpty());
  EXPECT_THAT(Look(60, {Heard("a-any", 90000)}), ElementsAre(Change{Kind::kDisconnected, "a-any"}));
}

TEST_F(AgentWatchTest, GivesAgentsTimeAfterTheClockWasSet) {
  EXPECT_THAT(Look(0, {Heard("a-any", 5)}), IsEmpty());
  EXPECT_THAT(Look(1000, {Heard("a-any", 5)}), IsEmpty());
  wall_ += 86400;
  EXPECT_THAT(Look(30, {Heard("a-any", 86430)}), IsEmpty());
  EXPECT_THAT(Look(30, {Heard("a-any", 10)}), IsEmpty());
  EXPECT_THAT(Look(3000, {Heard("a-any", 10)}), IsEmpty());
}

TEST_F(AgentWatchTest, TellsOfAKeyThatIsNeverUsedAndOfItsFirstUseNot) {
  EXPECT_THAT(Look(0, {Silent("a-any")}), IsEmpty());
  EXPECT_THAT(Look(1000, {Silent("a-any")}), IsEmpty());
  EXPECT_THAT(Look(1000, {Silent("a-any")}), ElementsAre(Change{Kind::kNeverConnected, "a-any"}));
  EXPECT_THAT(Look(1000, {Silent("a-any")}), IsEmpty());
  EXPECT_THAT(Look(10, {Heard("a-any", 1)}), IsEmpty());
}

TEST_F(AgentWatchTest, TellsOfARemovedAgentThatItIsRemoved) {
  EXPECT_THAT(Look(0, {Heard("a-any", 5), Heard("b-any", 5)}), IsEmpty());
  EXPECT_THAT(Look(30, {Heard("b-any", 5)}), ElementsAre(Change{Kind::kRemoved, "a-any"}));
  EXPECT_THAT(Look(3000, {Heard("b-any", 5)}), IsEmpty());
}

TEST_F(AgentWatchTest, LeavesWhatIsTooMuchForTheNextLook) {
  Look(0, {Heard("a-any", 5), Heard("b-any", 5), Heard("c-any", 5)});
  EXPECT_THAT(
      Look(3000, {Heard("a-any", 2999), Heard("b-any", 2999)}, 2),
      ElementsAre(Change{Kind::kDisconnected, "a-any"}, Change{Kind::kDisconnected, "b-any"}));
  EXPECT_THAT(Look(30, {Heard("a-any", 3029), Heard("b-any", 3029)}, 2),
              ElementsAre(Change{Kind::kRemoved, "c-any"}));
}

TEST_F(AgentWatchTest, RemembersOverARestart) {
  Look(0, {Heard("a-any", 5), Silent("b-any")});
  AgentWatch other(kLimit, kSettle);
  other.Restore(watch_.Save());
  EXPECT_EQ(other.Save(), watch_.Save());
  other.Restore("x 1 c\na one d\na 1\n\na 1 e-any\n");
  EXPECT_EQ(other.Save(), "a 1 e-any\n");
}

TEST(EventText, HasTheWordsOfTheRules) {
  EXPECT_EQ(EventText({Kind::kDisconnected, "a-any"}), "ossec: Agent disconnected: 'a-any'.");
  EXPECT_EQ(EventText({Kind::kReconnected, "a-any"}), "ossec: Agent reconnected: 'a-any'.");
  EXPECT_EQ(EventText({Kind::kRemoved, "a-any"}), "ossec: Agent removed: 'a-any'.");
  EXPECT_EQ(EventText({Kind::kNeverConnected, "a-any"}), "ossec: Agent never connected: 'a-any'.");
}

}  // namespace
}  // namespace ospatrol::monitord
