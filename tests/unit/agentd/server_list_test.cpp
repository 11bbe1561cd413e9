#include "agentd/server_list.h"

#include <gtest/gtest.h>

#include <set>

namespace ospatrol::agentd {
namespace {

using config::ClientCipher;
using secure::Cipher;

constexpr uint32_t kMiddle = 1u << 30;  // a multiple of most spans: the least pause
constexpr int64_t kReturn = 600'000;

config::ClientSection Client(int servers) {
  config::ClientSection client;
  for (int i = 1; i <= servers; ++i) {
    client.servers.push_back({.name = "10.0.0." + std::to_string(i), .is_address = true});
  }
  return client;
}

TEST(ServerList, PausesGrowWithARoundAndAreSpreadByAQuarter) {
  const struct {
    int servers;
    int64_t seconds[4];
  } cases[] = {{1, {1, 19, 37, 55}}, {2, {6, 11, 16, 21}}};
  for (const auto& one : cases) {
    ServerList list(Client(one.servers), {}, kReturn);
    for (const int64_t seconds : one.seconds) {
      const int64_t pause = list.RoundFailed(kMiddle + 12345).pause_ms;
      EXPECT_GE(pause, seconds * 750);
      EXPECT_LE(pause, seconds * 1250);
    }
    for (int i = 0; i < 100; ++i) {
      EXPECT_LE(list.RoundFailed(kMiddle).pause_ms, ServerList::kLongestPauseMs * 5 / 4);
    }
    list.Answered(0);
    EXPECT_LE(list.RoundFailed(7).pause_ms, one.seconds[0] * 1250);
  }
}

TEST(ServerList, DifferentAgentsWaitDifferently) {
  std::set<int64_t> pauses;
  for (uint32_t random = 0; random < 50; ++random) {
    ServerList list(Client(2), {}, kReturn);
    pauses.insert(list.RoundFailed(random * 2654435761u).pause_ms);
  }
  EXPECT_GT(pauses.size(), 40u);
}

TEST(ServerList, GoesThroughTheServersInTheirOrderAndAround) {
  ServerList list(Client(3), {}, kReturn);
  std::string order;
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(list.RoundFailed(0).other_server);
    order += list.current().name.back();
  }
  EXPECT_EQ(order, "2312");
  EXPECT_EQ(list.current().key, "10.0.0.2:1514");
  ServerList alone(Client(1), {}, kReturn);
  EXPECT_FALSE(alone.RoundFailed(0).other_server);
}

TEST(ServerList, TriesTheOtherCipherOfASilentServerWhenItMay) {
  const struct {
    ClientCipher method;
    bool blowfish;
    Cipher first, second;
  } cases[] = {
      {ClientCipher::kAuto, true, Cipher::kAes, Cipher::kBlowfish},
      {ClientCipher::kAuto, false, Cipher::kAes, Cipher::kAes},
      {ClientCipher::kAes, true, Cipher::kAes, Cipher::kAes},
      {ClientCipher::kBlowfish, true, Cipher::kBlowfish, Cipher::kBlowfish},
  };
  for (const auto& one : cases) {
    ServerList list(Client(1), {one.method, one.blowfish}, kReturn);
    EXPECT_EQ(list.current().cipher, one.first);
    EXPECT_EQ(list.RoundFailed(0).other_cipher.has_value(), one.first != one.second);
    EXPECT_EQ(list.current().cipher, one.second);
    list.RoundFailed(0);
    EXPECT_EQ(list.current().cipher, one.first);
  }
}

TEST(ServerList, HasPatienceWithACipherThatHasWorked) {
  ServerList list(Client(1), {}, kReturn);
  list.current().proved = Cipher::kAes;
  std::string tried;
  for (int i = 0; i < 6; ++i) {
    list.RoundFailed(0);
    tried += list.current().cipher == Cipher::kAes ? 'a' : 'b';
  }
  EXPECT_EQ(tried, "aabaab");
}

TEST(ServerList, AsksForTheFirstServerWhileALaterOneIsInUse) {
  ServerList list(Client(2), {}, kReturn);
  list.Answered(1000);
  EXPECT_FALSE(list.ReturnDue());
  list.RoundFailed(0);
  list.Answered(5000);
  EXPECT_EQ(list.ReturnDue(), 5000 + kReturn);
  list.ReturnFailed(700'000);
  EXPECT_EQ(list.ReturnDue(), 700'000 + kReturn);
  list.GoTo(0);
  EXPECT_FALSE(list.ReturnDue());
}

}  // namespace
}  // namespace ospatrol::agentd
