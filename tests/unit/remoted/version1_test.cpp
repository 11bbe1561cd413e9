#include "remoted/version1.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "channel.h"

namespace ospatrol::remoted {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

constexpr std::string_view kKey =
    "0123456789abcdef0123456789abcdeffedcba9876543210fedcba9876543210";

class Version1Test : public testing::Test {
 protected:
  Version1Test() {
    secure::LoadLegacyProvider();
    house_.SetKeys("001 web01 127.0.0.1 " + std::string(kKey) + "\n002 db-any any " +
                   std::string(kKey) + "\n");
    web_ =
        secure::DeriveKeys(*secure::MakeAgentKey("001", "web01", "127.0.0.1", std::string(kKey)));
  }

  Version1::Result Handle(std::string_view bytes) {
    const Packet packet{bytes, false, {house_.peer(), {}}};
    const auto result =
        version1_.Handle(packet, *house_.channel.registry.Get(), policy_, 1'800'000'000);
    version1_.EndBatch();
    sender_.Flush();
    return result;
  }
  std::string Seal(std::string_view message, secure::Counter counter,
                   secure::Cipher cipher = secure::Cipher::kAes) {
    return std::string(secure::Seal(engine_, web_, cipher, {}, counter, message).datagram);
  }
  Agent& web() { return **house_.channel.registry.Get()->Find("001").agent; }
  // Messages that the agent got.
  std::vector<std::string> Answers() {
    std::vector<std::string> messages;
    for (const std::string& datagram : house_.Received()) {
      const auto prefix = secure::ParsePrefix(datagram);
      const auto opened = secure::Open(engine_, web_, prefix.cipher, prefix.sealed);
      messages.emplace_back(opened ? opened.message : "not opened");
    }
    return messages;
  }

  House house_;
  secure::CipherEngine engine_;
  secure::DerivedKeys web_;
  Policy policy_;
  Version1Sender sender_{house_.socket, house_.sender};
  Version1 version1_{house_.channel, sender_};
};

TEST_F(Version1Test, DeliversEventsOfBothCiphers) {
  EXPECT_EQ(Handle(Seal("1:/x:one", {1, 1})), Version1::Result::kHandled);
  EXPECT_EQ(Handle(Seal("1:/x:two", {1, 2}, secure::Cipher::kBlowfish)),
            Version1::Result::kHandled);
  EXPECT_THAT(house_.Events(), ElementsAre("1:[001] (web01) 127.0.0.1->/x:one",
                                           "1:[001] (web01) 127.0.0.1->/x:two"));
  EXPECT_THAT(Answers(), IsEmpty());
}

TEST_F(Version1Test, AcknowledgesEveryControlMessageInItsCipher) {
  Handle(Seal("#!-agent startup ", {1, 1}));
  EXPECT_THAT(Answers(), ElementsAre("#!-agent ack "));
  Handle(Seal("#!-uname\nx merged.mg\n\nfiller", {1, 2}, secure::Cipher::kBlowfish));
  EXPECT_EQ(web().cipher, secure::Cipher::kBlowfish);
  EXPECT_THAT(Answers(), ElementsAre("#!-agent ack "));
  EXPECT_EQ(web().pending_text, "#!-uname\nx merged.mg\n\nfiller");
}

TEST_F(Version1Test, SeesThatAKeepAliveSaysNothingNewWhateverItsFiller) {
  Handle(Seal("#!-uname\nx merged.mg\n\nfiller", {1, 1}));
  web().pending_text.clear();
  Handle(Seal("#!-uname\nx merged.mg\n\nother filler", {1, 2}));
  EXPECT_EQ(web().pending_text, "");
  Handle(Seal("#!-uname\n0cc175b9c0f1b6a831c399e269772661 merged.mg\n\nf", {1, 3}));
  EXPECT_NE(web().pending_text, "");
}

TEST_F(Version1Test, OffersVersion2ToThoseWhoKnowIt) {
  Handle(Seal("#!-uname\nx merged.mg\n\nospatrol-caps: v2\nfiller", {1, 1}));
  EXPECT_THAT(Answers(), ElementsAre("#!-agent ack ", "#!-ospatrol offer v2\n"));
}

TEST_F(Version1Test, RefusesWhatItHasSeen) {
  const std::string packet = Seal("1:/x:one", {1, 5});
  Handle(packet);
  Handle(packet);
  Handle(Seal("1:/x:late", {1, 4}));
  EXPECT_THAT(house_.Events(), ElementsAre("1:[001] (web01) 127.0.0.1->/x:one",
                                           "1:[001] (web01) 127.0.0.1->/x:late"));
  EXPECT_EQ(house_.channel.counters.refused, 1U);
  policy_.verify_counters = false;
  Handle(packet);
  EXPECT_EQ(house_.Events().size(), 1U);
}

TEST_F(Version1Test, LetsAnAgentThatLostItsCountersInWhenItAnswersToSomethingNew) {
  Handle(Seal("1:/x:before", {9, 1}));
  EXPECT_EQ(house_.Events().size(), 1U);
  web().last_heard -= 100;
  Handle(Seal("#!-agent startup ", {1, 1}));
  EXPECT_THAT(Answers(), ElementsAre("#!-agent ack "));
  Handle(Seal("1:/x:not yet", {1, 2}));
  Handle(Seal("#!-uname\nx merged.mg\n\nf", {1, 3}));
  const auto answers = Answers();
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0], "#!-agent ack ");
  ASSERT_EQ(answers[1].substr(0, 11), "#!-up file ");
  const std::string md5 = answers[1].substr(11, 32);
  EXPECT_EQ(answers[2].substr(0, 2), "# ");
  EXPECT_EQ(answers[3], "#!-close file ");
  // Its own old packets prove nothing, and are not answered all the time.
  Handle(Seal("#!-uname\nx merged.mg\n\nf", {1, 3}));
  EXPECT_THAT(Answers(), IsEmpty());
  EXPECT_THAT(house_.Events(), IsEmpty());

  Handle(Seal("#!-uname\n" + md5 + " merged.mg\n\nf", {1, 4}));
  EXPECT_THAT(Answers(), ElementsAre("#!-agent ack "));
  Handle(Seal("1:/x:again", {1, 5}));
  EXPECT_EQ(house_.Events().size(), 1U);
  Handle(Seal("#!-uname\n" + md5 + " merged.mg\n\nf", {1, 4}));
  EXPECT_THAT(Answers(), IsEmpty());
}

TEST_F(Version1Test, ChallengesNobodyWhoseAgentIsHeard) {
  Handle(Seal("#!-uname\nx merged.mg\n\nf", {9, 1}));
  Answers();
  Handle(Seal("#!-uname\nx merged.mg\n\nf", {1, 1}));
  EXPECT_THAT(Answers(), IsEmpty());
}

TEST_F(Version1Test, ChangesNothingForAForgedPacket) {
  Handle(Seal("#!-agent startup ", {1, 1}));
  Answers();
  const Route before = web().route;
  for (std::string packet :
       {Seal("1:/x:y", {1, 2}), Seal("1:/x:y", {1, 3}, secure::Cipher::kBlowfish)}) {
    for (size_t length = 0; length < packet.size(); ++length) Handle(packet.substr(0, length));
    for (size_t at = packet[0] == '#' ? 5 : 1; at < packet.size(); ++at) {
      packet[at] = static_cast<char>(packet[at] ^ 1);
      Handle(packet);
      packet[at] = static_cast<char>(packet[at] ^ 1);
    }
  }
  // The protocol ignores what stands behind the compressed part: one in some thousand changed AES
  // packets still carries the agent's own message, and nothing else.
  EXPECT_THAT(house_.Events(), Each(EndsWith(":y")));
  EXPECT_THAT(Answers(), IsEmpty());
  EXPECT_EQ(web().route, before);
  EXPECT_EQ(web().cipher, secure::Cipher::kAes);
}

TEST_F(Version1Test, LeavesTheUnknownToItsCaller) {
  EXPECT_EQ(Handle("!077!:abcdefgh"), Version1::Result::kUnknown);
  house_.SetKeys("002 db-any any " + std::string(kKey) + "\n");
  EXPECT_EQ(Handle(Seal("1:/x:y", {1, 1})), Version1::Result::kUnknown);
}

TEST_F(Version1Test, AppliesTheAddressOfTheEntryToTheId) {
  house_.SetKeys("001 web01 10.0.0.0/8 " + std::string(kKey) + "\n");
  EXPECT_EQ(Handle("!001!" + Seal("1:/x:y", {1, 1})), Version1::Result::kUnknown);
  house_.SetKeys("001 web01 127.0.0.0/8 " + std::string(kKey) + "\n");
  EXPECT_EQ(Handle("!001!" + Seal("1:/x:y", {1, 1})), Version1::Result::kHandled);
  EXPECT_EQ(house_.Events().size(), 1U);
}

TEST_F(Version1Test, ObeysThePolicy) {
  policy_.blowfish = false;
  Handle(Seal("1:/x:blowfish", {1, 1}, secure::Cipher::kBlowfish));
  EXPECT_THAT(house_.Events(), IsEmpty());
  Handle(Seal("1:/x:aes", {1, 1}));
  EXPECT_EQ(house_.Events().size(), 1U);
  house_.SetKeys("001 web01 127.0.0.1 " + std::string(kKey) + "\n", {"001"});
  Handle(Seal("1:/x:only v2", {1, 2}));
  EXPECT_THAT(house_.Events(), IsEmpty());
}

TEST_F(Version1Test, KeepsTheStateOfAgentsOverAReloadOfTheKeys) {
  Handle(Seal("#!-agent startup ", {1, 7}));
  const auto before = house_.channel.registry.Get();
  const AgentPtr agent = *before->Find("001").agent;
  house_.SetKeys("001 web01 any " + std::string(kKey) + "\n003 new any " + std::string(kKey) +
                 "\n");
  const auto after = house_.channel.registry.Get();
  EXPECT_EQ(*after->Find("001").agent, agent);
  ASSERT_EQ(after->Missing(*before).size(), 1U);
  EXPECT_EQ(after->Missing(*before)[0]->id, "002");
  house_.SetKeys("001 web01 any " + std::string(64, 'b') + "\n");
  EXPECT_NE(*house_.channel.registry.Get()->Find("001").agent, agent);
}

// The transcript of a session's start: what the agent sends, and how often the manager answers.
TEST_F(Version1Test, FollowsTheTranscriptOfTheReference) {
  std::ifstream file(OSPATROL_TEST_DATA "/wire-vectors.json");
  const auto vectors = nlohmann::json::parse(file);
  size_t acknowledged = 0, steps = 0;
  for (const auto& step : vectors["session_start_transcript"]["steps"]) {
    if (step["sender"] != "agent") continue;
    ++steps;
    EXPECT_EQ(Handle(FromHex(step["packet_hex"])), Version1::Result::kHandled);
    acknowledged += Answers().size();
  }
  EXPECT_EQ(steps, 6U);
  EXPECT_EQ(acknowledged, 3U);
  EXPECT_EQ(house_.Events().size(), 3U);
}

}  // namespace
}  // namespace ospatrol::remoted
