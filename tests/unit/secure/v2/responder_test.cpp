#include "secure/v2/responder.h"

#include <gtest/gtest.h>

#include "secure/v2/big_endian.h"
#include "simulation.h"

namespace ospatrol::secure::v2 {
namespace {

using Kind = Responder::Route::Kind;

class ResponderTest : public testing::Test {
 protected:
  Responder::Route Look(Bytes datagram, int64_t now_ms = 1000) {
    const std::array<uint8_t, 6> peer{127, 0, 0, 1, 5, 234};
    return responder_.Look({now_ms, 0}, peer, datagram, reply_);
  }
  static std::vector<uint8_t> Data(uint32_t connection, size_t size) {
    std::vector<uint8_t> datagram(size);
    Header header;
    header.connection = connection;
    WriteHeader(header, datagram);
    return datagram;
  }

  test::SeededRandom random_{1};
  Responder responder_{Responder::Config{}, random_};
  std::array<uint8_t, 64> reply_{};
};

TEST_F(ResponderTest, AnswersDataOfAnUnknownSessionWithAProofThatItIsTheManager) {
  const auto route = Look(Data(77, kMinData));
  EXPECT_EQ(route.kind, Kind::kAnswer);
  EXPECT_EQ(route.verdict, Verdict::kUnknownSession);
  ASSERT_LE(route.reply, kMinData);
  EXPECT_EQ(ParseHeader(Bytes(reply_).first(route.reply))->connection, 77u);
  EXPECT_EQ(Look(Data(77, kMinData - 1)).kind, Kind::kDrop);
}

TEST_F(ResponderTest, AnswersNoMoreThanItsLimitPerSecond) {
  Responder::Config config;
  config.answers_per_second = 10;
  Responder responder(config, random_);
  int answers = 0;
  for (int i = 0; i < 100; ++i) {
    const auto datagram = Data(77, 100);
    if (responder.Look({1000 + i, 0}, {}, datagram, reply_).kind == Kind::kAnswer) ++answers;
  }
  EXPECT_EQ(answers, 10);
  const auto datagram = Data(77, 100);
  EXPECT_EQ(responder.Look({2000, 0}, {}, datagram, reply_).kind, Kind::kAnswer);
}

TEST_F(ResponderTest, NamesItsVersionsToAnotherVersionButNeverToAnAnswer) {
  auto datagram = Data(77, 100);
  datagram[1] = 3;
  auto route = Look(datagram);
  EXPECT_EQ(route.kind, Kind::kAnswer);
  EXPECT_EQ(reply_[2], static_cast<uint8_t>(PacketType::kVersion));
  EXPECT_EQ(reply_[17], kProtocolVersion);
  datagram[2] = static_cast<uint8_t>(PacketType::kVersion);
  EXPECT_EQ(Look(datagram).kind, Kind::kDrop);
  datagram.resize(17);
  datagram[2] = 1;
  EXPECT_EQ(Look(datagram).kind, Kind::kDrop);  // the answer would be longer
}

TEST_F(ResponderTest, DropsAnswersThatAManagerNeverGets) {
  for (const PacketType type : {PacketType::kWelcome, PacketType::kCookie, PacketType::kReset,
                                PacketType::kVersion, PacketType::kStale}) {
    std::vector<uint8_t> datagram(200);
    Header header;
    header.type = type;
    WriteHeader(header, datagram);
    EXPECT_EQ(Look(datagram).kind, Kind::kDrop);
  }
}

TEST_F(ResponderTest, LetsACookieThroughForTwoMinutesAtLeast) {
  Responder::Config config;
  config.hellos_per_second = 0;
  Responder responder(config, random_);
  AeadEngine engine;
  HelloContent content;
  content.first = content.next = 1;
  Initiator hello(engine, random_, "001", DerivePsk("001", "a", "b"), 1, content);
  const std::array<uint8_t, 6> peer{1, 2, 3, 4, 5, 6};
  const std::array<uint8_t, 6> other{1, 2, 3, 4, 5, 7};
  const auto route = responder.Look({130000, 0}, peer, hello.hello(), reply_);
  ASSERT_EQ(route.kind, Kind::kAnswer);
  ASSERT_EQ(route.verdict, Verdict::kNoCookie);
  ASSERT_TRUE(hello.TakeCookie(Bytes(reply_).first(route.reply)));
  EXPECT_EQ(responder.Look({140000, 0}, peer, hello.hello(), reply_).kind, Kind::kHello);
  EXPECT_EQ(responder.Look({250000, 0}, peer, hello.hello(), reply_).kind, Kind::kHello);
  EXPECT_EQ(responder.Look({251000, 0}, other, hello.hello(), reply_).kind, Kind::kAnswer);
  EXPECT_EQ(responder.Look({600000, 0}, peer, hello.hello(), reply_).kind, Kind::kAnswer);
  EXPECT_EQ(responder.Look({900000, 0}, peer, hello.hello(), reply_).kind, Kind::kAnswer);
}

}  // namespace
}  // namespace ospatrol::secure::v2
