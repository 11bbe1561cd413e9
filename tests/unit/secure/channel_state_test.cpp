#include "secure/channel_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../temporary_directory.h"
#include "base/error.h"

namespace ospatrol::secure {
namespace {

class ChannelStateTest : public testing::Test {
 protected:
  std::unique_ptr<ChannelState> Open() {
    return std::make_unique<ChannelState>(directory_ / "state.db");
  }

  TemporaryDirectory directory_;
};

TEST_F(ChannelStateTest, KeepsWhereAgentsWere) {
  ChannelState::Peer peer{.agent_id = "001",
                          .address = PeerAddress::Parse("2001:db8::5", 41234).value(),
                          .last_heard = 1763719200,
                          .cipher = Cipher::kBlowfish,
                          .version = 2,
                          .interval = 600};
  EXPECT_TRUE(Open()->SavePeers({&peer, 1}));
  peer.last_heard = 1763719999;
  EXPECT_TRUE(Open()->SavePeers({&peer, 1}));
  const auto peers = Open()->LoadPeers();
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0].agent_id, "001");
  EXPECT_EQ(peers[0].address, peer.address);
  EXPECT_EQ(peers[0].last_heard, 1763719999);
  EXPECT_EQ(peers[0].cipher, Cipher::kBlowfish);
  EXPECT_EQ(peers[0].version, 2);
  EXPECT_EQ(peers[0].interval, 600U);
}

TEST_F(ChannelStateTest, KeepsHellosAndSpools) {
  const ChannelState::Hello hello{"001", 0xFFFF'FFFF'FFFF'FFFE};
  const ChannelState::Spool spool{{1, 2, 0, 255}, "001", 0x8000'0000'0000'0001};
  EXPECT_TRUE(Open()->SaveHellos({&hello, 1}));
  EXPECT_TRUE(Open()->SaveSpools({&spool, 1}));
  EXPECT_EQ(Open()->LoadHellos().at(0).counter, hello.counter);
  const ChannelState::Spool read = Open()->LoadSpools().at(0);
  EXPECT_EQ(read.id, spool.id);
  EXPECT_EQ(read.last_event, spool.last_event);
}

TEST_F(ChannelStateTest, ForgetsAnAgentWhollyOrItsHello) {
  const ChannelState::Hello hellos[] = {{"001", 5}, {"002", 6}};
  const ChannelState::Spool spool{{1}, "001", 7};
  const auto state = Open();
  state->SaveHellos(hellos);
  state->SaveSpools({&spool, 1});
  EXPECT_TRUE(state->ForgetHello("002"));
  EXPECT_EQ(state->LoadHellos().size(), 1U);
  EXPECT_TRUE(state->ForgetAgent("001"));
  EXPECT_TRUE(state->LoadHellos().empty());
  EXPECT_TRUE(state->LoadSpools().empty());
}

TEST_F(ChannelStateTest, KeepsWhatWorkedWithAServer) {
  EXPECT_TRUE(Open()->SaveServer({.server = "10.0.0.1:1514"}));
  EXPECT_TRUE(Open()->SaveServer({.server = "10.0.0.2:1514",
                                  .cipher = Cipher::kBlowfish,
                                  .v2 = true,
                                  .stay = true,
                                  .manager_id = std::string("m\0x", 3)}));
  const auto servers = Open()->LoadServers();
  ASSERT_EQ(servers.size(), 2U);
  EXPECT_EQ(servers[0].cipher, std::nullopt);
  EXPECT_FALSE(servers[0].stay);
  EXPECT_EQ(servers[1].cipher, Cipher::kBlowfish);
  EXPECT_TRUE(servers[1].v2);
  EXPECT_TRUE(servers[1].stay);
  EXPECT_EQ(servers[1].manager_id, std::string("m\0x", 3));
}

TEST_F(ChannelStateTest, HelloCountersGrowWhateverTheClockSays) {
  EXPECT_EQ(Open()->NextHelloCounter(1000), 1000U);
  EXPECT_EQ(Open()->NextHelloCounter(1000), 1001U);
  EXPECT_EQ(Open()->NextHelloCounter(-7), 1002U);
  EXPECT_EQ(Open()->NextHelloCounter(5000), 5000U);
}

TEST_F(ChannelStateTest, NumbersAreReservedOnce) {
  EXPECT_EQ(Open()->ReserveNumbers(100), 1U);
  EXPECT_EQ(Open()->ReserveNumbers(50), 101U);
  EXPECT_EQ(Open()->ReserveNumbers(1), 151U);
}

TEST_F(ChannelStateTest, SecretsStayTheSame) {
  const std::string id = Open()->sender_id();
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(Open()->sender_id(), id);
  const std::string secret = Open()->Secret("manager id", 16);
  EXPECT_EQ(secret.size(), 16U);
  EXPECT_EQ(Open()->Secret("manager id", 16), secret);
  EXPECT_NE(Open()->Secret("other", 16), secret);
}

TEST_F(ChannelStateTest, StartsAnewWhenItIsDamaged) {
  { Open()->ReserveNumbers(1); }
  std::ofstream(directory_ / "state.db") << "this is not a database, and never was one";
  EXPECT_EQ(Open()->LoadPeers().size(), 0U);
  EXPECT_TRUE(std::filesystem::exists(directory_ / "state.db.damaged"));
}

TEST_F(ChannelStateTest, SaysWhenItCannotBeMade) {
  EXPECT_THROW(ChannelState("/nonexistent/state.db"), Error);
}

TEST_F(ChannelStateTest, AFailedWriteIsToldAndNothingMore) {
  const auto state = Open();
  base::Database other(directory_ / "state.db");
  other.Execute("DROP TABLE hello");
  const ChannelState::Hello hello{"001", 1};
  EXPECT_FALSE(state->SaveHellos({&hello, 1}));
  EXPECT_TRUE(state->ReserveNumbers(1));
}

}  // namespace
}  // namespace ospatrol::secure
