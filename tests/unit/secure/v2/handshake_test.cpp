#include "secure/v2/handshake.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "secure/v2/key_schedule.h"
#include "simulation.h"

namespace ospatrol::secure::v2 {
namespace {

Bytes Unhex(std::string_view hex, std::vector<uint8_t>& bytes) {
  bytes.clear();
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

TEST(KeySchedule, DerivesAsRfc5869Says) {
  std::vector<uint8_t> ikm, salt, info;
  Unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", ikm);
  Unhex("000102030405060708090a0b0c", salt);
  Unhex("f0f1f2f3f4f5f6f7f8f9", info);
  std::array<uint8_t, 42> out{};
  ASSERT_TRUE(Hkdf(salt, ikm, info, out));
  EXPECT_EQ(base::ToHex(AsText(out)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(KeySchedule, AgreesAsRfc7748Says) {
  // Section 6.1: Bob's private key and Alice's public one.
  Secret<32> private_key;
  std::vector<uint8_t> b;
  Unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", b);
  std::vector<uint8_t> alice_public;
  Unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", alice_public);
  std::copy(b.begin(), b.end(), private_key.edit().begin());
  Secret<32> shared;
  ASSERT_TRUE(Agree(private_key, alice_public, shared));
  EXPECT_EQ(base::ToHex(AsText(shared.view())),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(KeySchedule, RefusesAPublicKeyOfSmallOrder) {
  Secret<32> private_key;
  private_key.edit()[0] = 8;
  Secret<32> shared;
  EXPECT_FALSE(Agree(private_key, std::vector<uint8_t>(32, 0), shared));
  std::vector<uint8_t> one(32, 0);
  one[0] = 1;
  EXPECT_FALSE(Agree(private_key, one, shared));
}

class Handshake : public testing::Test {
 protected:
  std::unique_ptr<Initiator> Hello(const Psk& psk, uint64_t counter = 5) {
    return std::make_unique<Initiator>(engine_, random_, "001", psk, counter, content_);
  }
  std::optional<Welcome> Answer(const Initiator& hello, WelcomeContent content = {}) {
    const auto head = ParseHello(hello.hello());
    content.hello_counter = head->counter;
    return MakeWelcome(engine_, random_, *head, psk_, content, 99);
  }

  AeadEngine engine_;
  test::SeededRandom random_{1};
  const Psk psk_ = DerivePsk("001", "web01", "key");
  HelloContent content_ = [] {
    HelloContent content;
    content.wall_ms = 1795000000000;
    content.ciphers = 3;
    content.spool = {1, 2, 3};
    content.first = 10;
    content.next = 20;
    content.product = "OSPatrol v1";
    return content;
  }();
};

TEST_F(Handshake, OpensWhatTheOtherSideSealed) {
  const auto hello = Hello(psk_);
  EXPECT_EQ(hello->hello().size(), kHelloSize);
  const auto head = ParseHello(hello->hello());
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->agent_id, "001");
  EXPECT_EQ(head->counter, 5u);
  const auto content = OpenHello(engine_, *head, psk_);
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(content->spool, content_.spool);
  EXPECT_EQ(content->first, 10u);
  EXPECT_EQ(content->next, 20u);
  EXPECT_EQ(content->product, "OSPatrol v1");

  WelcomeContent answer;
  answer.stored = 15;
  answer.received = 17;
  answer.stay = true;
  answer.cipher = Cipher::kAes256Gcm;
  answer.reset[3] = 7;
  const auto welcome = Answer(*hello, answer);
  ASSERT_TRUE(welcome.has_value());
  const auto result = hello->ReadWelcome(engine_, welcome->bytes);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->remote, 99u);
  EXPECT_EQ(result->content.stored, 15u);
  EXPECT_EQ(result->content.received, 17u);
  EXPECT_TRUE(result->content.stay);
  EXPECT_EQ(result->content.reset, answer.reset);

  for (const bool from_agent : {true, false}) {
    Session agent(result->keys, hello->connection(), 99, 0);
    Session manager(welcome->keys, 99, hello->connection(), 0);
    Session& sender = from_agent ? agent : manager;
    Session& receiver = from_agent ? manager : agent;
    std::array<uint8_t, 200> packet{};
    FrameWriter writer(MutableBytes(packet).subspan(kHeaderSize, 100));
    writer.PutPing(FrameType::kPing, PingCookie{1});
    const size_t size = sender.Seal(engine_, writer.size(), packet);
    std::array<uint8_t, 200> plain{};
    const Bytes datagram = Bytes(packet).first(size);
    const auto opened = receiver.Open(engine_, datagram, plain);
    EXPECT_EQ(opened.fault, Session::Fault::kNone);
    EXPECT_EQ(opened.frames.size(), 11u);
    receiver.Accept(opened.number);
    EXPECT_EQ(receiver.Open(engine_, datagram, plain).fault, Session::Fault::kDuplicate);
    // Its own packet, sent back.
    EXPECT_NE(sender.Open(engine_, datagram, plain).fault, Session::Fault::kNone);
  }
}

TEST_F(Handshake, NoticesEveryChangedByte) {
  const auto hello = Hello(psk_);
  const auto head = ParseHello(hello->hello());
  const size_t sealed_end = kHelloHead + head->sealed.size();
  for (size_t i = 0; i < sealed_end; ++i) {
    std::vector<uint8_t> changed(hello->hello().begin(), hello->hello().end());
    changed[i] ^= 0x10;
    const auto other = ParseHello(changed);
    EXPECT_FALSE(other && OpenHello(engine_, *other, psk_)) << "byte " << i;
  }
  const auto welcome = Answer(*hello);
  for (size_t i = 0; i < kWelcomeSize; ++i) {
    auto changed = welcome->bytes;
    changed[i] ^= 0x10;
    EXPECT_FALSE(hello->ReadWelcome(engine_, changed).has_value()) << "byte " << i;
  }
}

TEST_F(Handshake, RefusesAnotherKey) {
  const auto hello = Hello(DerivePsk("001", "web02", "key"));  // the name is part of it
  const auto head = ParseHello(hello->hello());
  EXPECT_FALSE(OpenHello(engine_, *head, psk_).has_value());
}

TEST_F(Handshake, TakesNoWelcomeOfAnotherHello) {
  const auto one = Hello(psk_, 5);
  const auto two = Hello(psk_, 6);
  const auto welcome = Answer(*one);
  EXPECT_FALSE(two->ReadWelcome(engine_, welcome->bytes).has_value());
}

TEST_F(Handshake, TellsTheCounterToExceedToTheRightAgentOnly) {
  const auto hello = Hello(psk_);
  const auto head = ParseHello(hello->hello());
  std::array<uint8_t, kStaleSize> stale{};
  ASSERT_EQ(MakeStale(engine_, random_, *head, psk_, 1000, stale), kStaleSize);
  EXPECT_EQ(hello->ReadStale(engine_, stale), 1000u);
  EXPECT_FALSE(Hello(psk_)->ReadStale(engine_, stale).has_value());
  stale[70] ^= 1;
  EXPECT_FALSE(hello->ReadStale(engine_, stale).has_value());
}

TEST_F(Handshake, AddsACookieWithoutChangingWhatIsSealed) {
  const auto hello = Hello(psk_);
  const std::vector<uint8_t> before(hello->hello().begin(), hello->hello().end());
  Secret<32> secret;
  const std::array<uint8_t, 6> peer{1, 2, 3, 4, 5, 6};
  const auto cookie = MakeHelloCookie(secret, peer, *ParseHello(before));
  std::array<uint8_t, 32> datagram{};
  Header header;
  header.type = PacketType::kCookie;
  header.connection = hello->connection();
  WriteHeader(header, datagram);
  std::copy(cookie.begin(), cookie.end(), datagram.begin() + kHeaderSize);
  ASSERT_TRUE(hello->TakeCookie(datagram));
  const auto head = ParseHello(hello->hello());
  EXPECT_TRUE(EqualInConstantTime(head->cookie, cookie));
  EXPECT_EQ(HelloDigest(*head), HelloDigest(*ParseHello(before)));
  header.connection ^= 1;
  WriteHeader(header, datagram);
  EXPECT_FALSE(hello->TakeCookie(datagram));
}

}  // namespace
}  // namespace ospatrol::secure::v2
