#include "secure/sealed_message.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <set>

#include "secure/replay_window.h"
#include "wire_vectors.h"

namespace ospatrol::secure {
namespace {

class SealedMessage : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_EQ(LoadLegacyProvider(), std::nullopt); }

  CipherEngine engine_;
};

Cipher CipherOf(const nlohmann::json& vector) {
  return vector["cipher"] == "aes" ? Cipher::kAes : Cipher::kBlowfish;
}

SealRandom RandomOf(const nlohmann::json& vector) {
  SealRandom random;
  random.number = vector["random_number_input"].get<uint16_t>();
  if (vector.contains("aes_iv_hex_input")) {
    const std::string iv = FromHex(vector["aes_iv_hex_input"]);
    std::copy(iv.begin(), iv.end(), random.iv.begin());
  }
  return random;
}

// The compressed bytes of the vectors are those of zlib itself.
bool ZlibIsClassic() {
  static const bool classic = [] {
    const auto& vector = Vectors()["encode"][0];
    const std::string block = FromHex(vector["block_before_compression_hex"]);
    std::string out(compressBound(block.size()), '\0');
    uLongf length = out.size();
    compress2(reinterpret_cast<Bytef*>(out.data()), &length,
              reinterpret_cast<const Bytef*>(block.data()), block.size(), 9);
    out.resize(length);
    return out == FromHex(vector["zlib_stream_hex"]);
  }();
  return classic;
}

TEST_F(SealedMessage, SealsEveryVectorToTheSameBytes) {
  ASSERT_EQ(Vectors()["encode"].size(), 31U);
  for (const auto& vector : Vectors()["encode"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const AgentKey agent = AgentOf(vector["client_keys_line"]);
    const bool names_itself = vector["direction"] == "agent_to_manager" && agent.rule.NeedsId();
    const Counter counter{vector["global_counter"], vector["local_counter"]};
    const Sealed sealed =
        Seal(engine_, DeriveKeys(agent), CipherOf(vector), names_itself ? agent.id : "", counter,
             MessageOf(vector), RandomOf(vector));
    ASSERT_TRUE(sealed);
    const std::string expected = FromHex(vector["packet_hex"]);
    if (ZlibIsClassic()) {
      EXPECT_EQ(sealed.datagram, expected);
      EXPECT_EQ(sealed.datagram.size(), vector["packet_length"].get<size_t>());
    }
    EXPECT_TRUE(sealed.datagram.starts_with(vector["packet_prefix_ascii"].get<std::string>()));
    EXPECT_LE(sealed.datagram.size(), kMaxDatagram);
  }
}

TEST_F(SealedMessage, TheCipherLayerIsExactWhateverTheZlib) {
  for (const auto& vector : Vectors()["encode"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const DerivedKeys keys = DeriveKeys(AgentOf(vector["client_keys_line"]));
    const std::string marks(vector["exclamation_padding_count"].get<size_t>(), '!');
    const std::string input = marks + FromHex(vector["zlib_stream_hex"]);
    const std::span in(reinterpret_cast<const uint8_t*>(input.data()), input.size());
    std::string packet = FromHex(vector["packet_hex"]);
    std::string out(input.size() + 16, '\0');
    auto* bytes = reinterpret_cast<uint8_t*>(out.data());
    if (CipherOf(vector) == Cipher::kBlowfish) {
      ASSERT_TRUE(engine_.EncryptBlowfish(keys, in, bytes));
      out.resize(input.size());
    } else {
      out.resize(engine_.EncryptAes(keys, RandomOf(vector).iv, in, bytes));
    }
    EXPECT_TRUE(packet.ends_with(out));
  }
}

TEST_F(SealedMessage, OpensEveryVectorThatItSeals) {
  for (const auto& vector : Vectors()["encode"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const AgentKey agent = AgentOf(vector["client_keys_line"]);
    const std::string packet = FromHex(vector["packet_hex"]);
    const PacketPrefix prefix = ParsePrefix(packet);
    ASSERT_EQ(prefix.state, PacketPrefix::State::kOk);
    EXPECT_EQ(prefix.cipher, CipherOf(vector));
    EXPECT_EQ(VersionOf(packet), WireVersion::kV1);
    const Opened opened = Open(engine_, DeriveKeys(agent), prefix.cipher, prefix.sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened.message, MessageOf(vector));
    EXPECT_EQ(opened.counter, (Counter{vector["global_counter"], vector["local_counter"]}));
  }
}

TEST_F(SealedMessage, SealsAndOpensAWholeSession) {
  const AgentKey agent = VectorAgents().entries()[0];
  for (const auto& step : Vectors()["session_start_transcript"]["steps"]) {
    const std::string message = step["message_text"];
    const Counter counter = CounterOf(step["counters"]);
    const std::string packet = FromHex(step["packet_hex"]);
    const PacketPrefix prefix = ParsePrefix(packet);
    const Opened opened = Open(engine_, DeriveKeys(agent), prefix.cipher, prefix.sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened.message, message);
    EXPECT_EQ(opened.counter, counter);
    if (!ZlibIsClassic()) continue;
    EXPECT_EQ(Seal(engine_, DeriveKeys(agent), Cipher::kAes, "", counter, message, RandomOf(step))
                  .datagram,
              packet);
  }
}

TEST_F(SealedMessage, CountsOnAsTheVectorsDo) {
  for (const auto& vector : Vectors()["encode"]) {
    const Counter before = CounterOf(vector["sender_counter_file_before"]);
    EXPECT_EQ(before.Next(), (Counter{vector["global_counter"], vector["local_counter"]}));
    EXPECT_EQ(before.Next().Text(), vector["sender_counter_file_after"].get<std::string>());
  }
}

TEST_F(SealedMessage, RefusesToSealWhatIsEmptyOrTooLong) {
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  const auto fault = [&](const std::string& message) {
    return Seal(engine_, keys, Cipher::kAes, "", {0, 1}, message).fault;
  };
  EXPECT_EQ(fault(std::string(6017, 'A')), SealFault::kMessageSize);
  EXPECT_EQ(fault(""), SealFault::kMessageSize);
  EXPECT_EQ(fault(std::string(6016, 'A')), SealFault::kNone);
}

TEST_F(SealedMessage, RefusesWhatDoesNotCompressIntoADatagram) {
  std::string noise;
  uint32_t state = 1;
  while (noise.size() < kMaxMessage) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>(state >> 24);
  }
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  // The stream has 6085 bytes: it fits with Blowfish and, with the IV, still just so with AES.
  for (const Cipher cipher : {Cipher::kBlowfish, Cipher::kAes}) {
    const Sealed sealed = Seal(engine_, keys, cipher, "12345678", {0, 1}, noise);
    EXPECT_TRUE(!sealed || sealed.datagram.size() <= kMaxDatagram);
    EXPECT_TRUE(sealed || sealed.fault == SealFault::kTooLarge);
  }
}

// What a receiver does, up to the number that it logs; 0 for a packet that is accepted.
struct Receiver {
  CipherEngine& engine;
  ReplayWindow window;
  bool check_counters = true;
  std::string message;
  Counter counter;

  int Receive(const AgentKey& agent, std::string_view packet) {
    const PacketPrefix prefix = ParsePrefix(packet);
    if (prefix.state != PacketPrefix::State::kOk) return 1403;
    const Opened opened = Open(engine, DeriveKeys(agent), prefix.cipher, prefix.sealed);
    if (!opened) return static_cast<int>(opened.fault);
    if (!check_counters) {
      window.AcceptAny(opened.counter);
    } else if (window.Accept(opened.counter) != ReplayWindow::Verdict::kNew) {
      return 1407;
    }
    message = opened.message;
    counter = opened.counter;
    return 0;
  }
};

ReplayWindow StoredWindow(const nlohmann::json& vector) {
  const auto stored = Counter::Parse(vector["stored_counter_before"].get<std::string>());
  return stored ? ReplayWindow::From(*stored) : ReplayWindow();
}

TEST_F(SealedMessage, AcceptsEveryVariationOfTheVectors) {
  ASSERT_EQ(Vectors()["decode_accept"].size(), 14U);
  for (const auto& vector : Vectors()["decode_accept"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    Receiver receiver{engine_, StoredWindow(vector), vector["id"] != "ACC-14", {}, {}};
    const AgentKey agent = AgentOf(vector["client_keys_line"]);
    EXPECT_EQ(receiver.Receive(agent, FromHex(vector["packet_hex"])), 0);
    EXPECT_EQ(receiver.message, FromHex(vector["delivered_message_hex"]));
    EXPECT_EQ(receiver.window.highest(), CounterOf(vector["stored_counter_after"]));
    const auto source = PeerAddress::Parse(vector["source_address"].get<std::string>(), 1514);
    ASSERT_TRUE(source);
    EXPECT_TRUE(Allows(agent, *source));
  }
}

TEST_F(SealedMessage, RefusesEveryForgeryWithTheRightNumber) {
  ASSERT_EQ(Vectors()["decode_reject"].size(), 22U);
  for (const auto& vector : Vectors()["decode_reject"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    Receiver receiver{engine_, StoredWindow(vector), true, {}, {}};
    const int number =
        receiver.Receive(AgentOf(vector["client_keys_line"]), FromHex(vector["packet_hex"]));
    // The reference calls an old global counter a wrong key; here an old counter is one.
    EXPECT_EQ(number, vector["id"] == "REJ-06" ? 1407 : LoggedNumber(vector));
    EXPECT_TRUE(receiver.message.empty());
    EXPECT_EQ(receiver.window.highest(), CounterOf(vector["stored_counter_after"]));
  }
}

// The steps before a packet is opened: who is it from?
int NumberOfPrefix(const KeyTable& agents, const PeerAddress& source, std::string_view packet,
                   const AgentKey** agent) {
  const PacketPrefix prefix = ParsePrefix(packet);
  if (prefix.state == PacketPrefix::State::kBadId) return 1403;
  if (prefix.id.empty()) {
    *agent = agents.FindByAddress(source);
    return *agent == nullptr ? 1213 : 0;
  }
  *agent = agents.Find(prefix.id);
  return *agent == nullptr || !Allows(**agent, source) ? 1408 : 0;
}

TEST_F(SealedMessage, RefusesEveryBadHeaderWithTheRightNumber) {
  const KeyTable agents = VectorAgents();
  ASSERT_EQ(Vectors()["decode_reject_by_header"].size(), 9U);
  for (const auto& vector : Vectors()["decode_reject_by_header"]) {
    const std::string id = vector["id"];
    SCOPED_TRACE(id);
    const std::string packet = FromHex(vector["packet_hex"]);
    const AgentKey* agent = nullptr;
    const auto source = PeerAddress::Parse(vector["source_address"].get<std::string>(), 1514);
    int number = NumberOfPrefix(agents, *source, packet, &agent);
    if (number == 0) {
      Receiver receiver{engine_, {}, true, {}, {}};
      number = receiver.Receive(*agent, packet);
    }
    EXPECT_EQ(number, id == "HDR-09" ? 1403 : LoggedNumber(vector));
  }
}

TEST_F(SealedMessage, AnAgentTakesOnlyItsOwnCipher) {
  for (const auto& vector : Vectors()["decode_by_agent"]) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const AgentKey agent = AgentOf(vector["client_keys_line"]);
    const std::string packet = FromHex(vector["packet_hex"]);
    const PacketPrefix prefix = ParsePrefix(packet);
    ReplayWindow window = StoredWindow(vector);
    int number = 1404;  // the packet's cipher is not the agent's
    if (prefix.cipher == Cipher::kAes) {
      const Opened opened = Open(engine_, DeriveKeys(agent), prefix.cipher, prefix.sealed);
      number = !opened ? static_cast<int>(opened.fault)
               : window.Accept(opened.counter) == ReplayWindow::Verdict::kNew ? 0
                                                                              : 1407;
    }
    EXPECT_EQ(number, LoggedNumber(vector));
    EXPECT_EQ(window.highest(), CounterOf(vector["stored_counter_after"]));
  }
}

TEST_F(SealedMessage, LengthsAreCheckedBeforeAnythingIsDecrypted) {
  const KeyTable agents = VectorAgents();
  const DerivedKeys keys = DeriveKeys(agents.entries()[0]);
  for (size_t size = 0; size < 40; ++size) {
    const std::string sealed(size, '\x5a');
    EXPECT_FALSE(Open(engine_, keys, Cipher::kBlowfish, sealed));
    EXPECT_FALSE(Open(engine_, keys, Cipher::kAes, sealed));
  }
  EXPECT_EQ(Open(engine_, keys, Cipher::kBlowfish, "").fault, OpenFault::kMalformed);
  EXPECT_EQ(Open(engine_, keys, Cipher::kAes, std::string(kMaxDatagram + 16, 'a')).fault,
            OpenFault::kMalformed);
}

TEST_F(SealedMessage, AnEmptyPacketNeverShowsAnEarlierOne) {
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  const std::string packet(
      Seal(engine_, keys, Cipher::kBlowfish, "", {0, 1}, "1:secret:secret").datagram);
  ASSERT_TRUE(Open(engine_, keys, Cipher::kBlowfish, ParsePrefix(packet).sealed));
  const Opened opened = Open(engine_, keys, Cipher::kBlowfish, "");
  EXPECT_FALSE(opened);
  EXPECT_TRUE(opened.message.empty());
}

TEST_F(SealedMessage, EveryFlippedBitIsNoticed) {
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  for (const Cipher cipher : {Cipher::kBlowfish, Cipher::kAes}) {
    const std::string message = "1:/var/log/x:hello world";
    const std::string packet(Seal(engine_, keys, cipher, "", {7, 3}, message).datagram);
    for (size_t bit = 0; bit < packet.size() * 8; ++bit) {
      std::string damaged = packet;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const PacketPrefix prefix = ParsePrefix(damaged);
      if (prefix.state != PacketPrefix::State::kOk) continue;
      const Opened opened = Open(engine_, keys, prefix.cipher, prefix.sealed);
      // Bits of the padding in front of the stream may change nothing of what is authenticated.
      if (opened) {
        EXPECT_EQ(opened.message, message);
      }
    }
  }
}

TEST_F(SealedMessage, KeepsNulBytes) {
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  const std::string message("1:x:a\0b", 7);
  const std::string packet(Seal(engine_, keys, Cipher::kAes, "", {0, 1}, message).datagram);
  EXPECT_EQ(Open(engine_, keys, Cipher::kAes, ParsePrefix(packet).sealed).message, message);
}

TEST_F(SealedMessage, ALargestFileChunkStaysWithinWhatAnAgentReads) {
  std::string chunk;
  uint32_t state = 7;
  while (chunk.size() < kFileChunk) {
    state = state * 1664525 + 1013904223;
    chunk += static_cast<char>(state >> 24);
  }
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  for (const Cipher cipher : {Cipher::kBlowfish, Cipher::kAes}) {
    EXPECT_LE(Seal(engine_, keys, cipher, "", {1, 1}, chunk).datagram.size(), kMaxDatagramToAgent);
  }
}

TEST_F(SealedMessage, TwoSealingsOfOneMessageDiffer) {
  std::set<std::string> packets;
  const DerivedKeys keys = DeriveKeys(VectorAgents().entries()[0]);
  for (int i = 0; i < 20; ++i) {
    packets.emplace(Seal(engine_, keys, Cipher::kAes, "", {0, 1}, "1:x:y").datagram);
  }
  EXPECT_EQ(packets.size(), 20U);
}

struct PrefixCase {
  std::string_view datagram;
  PacketPrefix::State state;
  std::string_view id;
  Cipher cipher;
  std::string_view sealed;
};

TEST(ParsePrefix, TellsWhoClaimsToSendAndHow) {
  using State = PacketPrefix::State;
  const std::string long_id = "!" + std::string(128, '1') + "!:x";
  const PrefixCase cases[] = {
      {":abc", State::kOk, "", Cipher::kBlowfish, "abc"},
      {"#AES:abc", State::kOk, "", Cipher::kAes, "abc"},
      {"!002!:abc", State::kOk, "002", Cipher::kBlowfish, "abc"},
      {"!12345678!#AES:", State::kOk, "12345678", Cipher::kAes, ""},
      {"!002!#AES", State::kBadCipher, "002", Cipher::kAes, ""},
      {"!002!", State::kBadCipher, "002", Cipher::kBlowfish, ""},
      {"#AES", State::kBadCipher, "", Cipher::kAes, ""},
      {"#aes:x", State::kBadCipher, "", Cipher::kBlowfish, ""},
      {"x", State::kBadCipher, "", Cipher::kBlowfish, ""},
      {"", State::kBadCipher, "", Cipher::kBlowfish, ""},
      {"!", State::kBadId, "", Cipher::kBlowfish, ""},
      {"!!:x", State::kBadId, "", Cipher::kBlowfish, ""},
      {"!00a!:x", State::kBadId, "", Cipher::kBlowfish, ""},
      {"!002", State::kBadId, "", Cipher::kBlowfish, ""},
      {long_id, State::kBadId, "", Cipher::kBlowfish, ""},
  };
  for (const PrefixCase& expected : cases) {
    SCOPED_TRACE(expected.datagram);
    const PacketPrefix prefix = ParsePrefix(expected.datagram);
    EXPECT_EQ(prefix.state, expected.state);
    EXPECT_EQ(prefix.id, expected.id);
    EXPECT_EQ(prefix.cipher, expected.cipher);
    EXPECT_EQ(prefix.sealed, expected.sealed);
  }
}

TEST(VersionOf, LooksAtTheFirstByteOnly) {
  EXPECT_EQ(VersionOf(""), WireVersion::kNone);
  EXPECT_EQ(VersionOf("\xF2\x02"), WireVersion::kV2);
  EXPECT_EQ(VersionOf(":"), WireVersion::kV1);
  EXPECT_EQ(VersionOf("#AES:"), WireVersion::kV1);
  EXPECT_EQ(VersionOf("!1!:"), WireVersion::kV1);
  EXPECT_EQ(VersionOf("<13>text"), WireVersion::kNone);
}

TEST(Counter, ReadsWhatItWritesAndOldDigitsBehindIt) {
  EXPECT_EQ(Counter::Parse("12:345:"), (Counter{12, 345}));
  EXPECT_EQ(Counter::Parse("12:345:99:"), (Counter{12, 345}));
  EXPECT_EQ(Counter::Parse("12:345"), (Counter{12, 345}));
  EXPECT_EQ(Counter::Parse("12:345\n"), (Counter{12, 345}));
  EXPECT_EQ(Counter::Parse("0:0:"), (Counter{0, 0}));
  for (const char* text : {"", ":", "12", "a:b:", "12:", "-1:3:", "4294967296:1:", "1:10000:"}) {
    EXPECT_EQ(Counter::Parse(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace ospatrol::secure
