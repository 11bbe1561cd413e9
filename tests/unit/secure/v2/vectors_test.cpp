// Against vectors that were made from docs/protocol-v2.md alone: tests/data/protocol_v2_vectors.py.
// Whoever has to change them needs another version number: not all agents are updated at one time.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <vector>

#include "base/digest.h"
#include "secure/v2/handshake.h"

namespace ospatrol::secure::v2 {
namespace {

using Memory = std::vector<uint8_t>;

std::map<std::string, Memory> LoadVectors() {
  std::map<std::string, Memory> vectors;
  std::ifstream file(OSPATROL_TEST_DATA "/protocol-v2-vectors.txt");
  for (std::string name, hex; file >> name >> hex;) {
    Memory bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
      bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    vectors[name] = bytes;
  }
  return vectors;
}

// Gives these bytes, in this order.
class Scripted : public RandomSource {
 public:
  explicit Scripted(Memory bytes) : bytes_(std::move(bytes)) {}
  void Fill(MutableBytes out) override {
    for (uint8_t& byte : out) byte = bytes_.at(at_++);
  }

 private:
  Memory bytes_;
  size_t at_ = 0;
};

Memory Joined(std::initializer_list<Memory> parts) {
  Memory all;
  for (const Memory& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::string Hex(Bytes bytes) { return base::ToHex(AsText(bytes)); }

TEST(Vectors, MatchAnImplementationThatKnowsTheDescriptionOnly) {
  auto vectors = LoadVectors();
  ASSERT_EQ(vectors.size(), 10u);
  const Psk psk =
      DerivePsk("001", "web01", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  EXPECT_EQ(Hex(psk.view()), Hex(vectors["psk"]));

  AeadEngine engine;
  Scripted agent(Joined({{0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44}, vectors["agent_private"]}));
  HelloContent content;
  content.wall_ms = 1795000000000;
  content.ciphers = 3;
  content.spool.fill(7);
  content.first = 10;
  content.next = 20;
  content.product = "OSPatrol v1";
  const Initiator hello(engine, agent, "001", psk, 1795000000000000, content);
  EXPECT_EQ(Hex(hello.hello()), Hex(vectors["hello"]));

  const auto head = ParseHello(hello.hello());
  ASSERT_TRUE(head.has_value());
  WelcomeContent answer;
  answer.hello_counter = head->counter;
  answer.cipher = Cipher::kAes256Gcm;
  answer.stay = true;
  answer.manager.fill(8);
  answer.stored = 15;
  answer.received = 17;
  answer.reset.fill(9);
  Scripted manager(vectors["manager_private"]);
  const auto welcome = MakeWelcome(engine, manager, *head, psk, answer, 0x55667788);
  ASSERT_TRUE(welcome.has_value());
  EXPECT_EQ(Hex(welcome->bytes), Hex(vectors["welcome"]));

  Session session(welcome->keys, 0x55667788, head->connection, 0);
  Memory plain(200);
  const auto opened = session.Open(engine, vectors["data"], plain);
  ASSERT_EQ(opened.fault, Session::Fault::kNone);
  EXPECT_EQ(AsText(opened.frames.subspan(kFrameHeaderSize)), "pingpong");
  const auto result = hello.ReadWelcome(engine, vectors["welcome"]);
  ASSERT_TRUE(result.has_value());
  Session other(result->keys, head->connection, result->remote, 0);
  Memory packet(200);
  std::copy(opened.frames.begin(), opened.frames.end(), packet.begin() + kHeaderSize);
  const size_t size = other.Seal(engine, opened.frames.size(), packet);
  EXPECT_EQ(Hex(Bytes(packet).first(size)), Hex(vectors["data"]));

  Scripted salt(vectors["stale_salt"]);
  std::array<uint8_t, kStaleSize> stale{};
  ASSERT_EQ(MakeStale(engine, salt, *head, psk, head->counter + 5, stale), kStaleSize);
  EXPECT_EQ(Hex(stale), Hex(vectors["stale"]));

  Secret<32> secret;
  std::copy_n(vectors["reset_secret"].begin(), 32, secret.edit().begin());
  EXPECT_EQ(Hex(MakeResetToken(secret, 0x55667788)), Hex(vectors["reset_token"]));
}

}  // namespace
}  // namespace ospatrol::secure::v2
