#include "secure/control_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "secure/agent_info.h"
#include "secure/relay_request.h"
#include "wire_vectors.h"

namespace ospatrol::secure {
namespace {

using Kind = ManagerMessage::Kind;

constexpr std::string_view kSum = "0a8c3d2485c2482957f31bbc9e472de9";
constexpr std::string_view kOtherSum = "a51c877d76ae32bf26696bb99cf1f68a";

TEST(KeepAlive, ReadsThoseOfTheVectors) {
  size_t seen = 0;
  for (const auto& step : Vectors()["session_start_transcript"]["steps"]) {
    const std::string text = step["message_text"];
    const auto keep_alive = ParseKeepAlive(text);
    const bool expected = text.starts_with("#!-Linux");
    EXPECT_EQ(keep_alive.has_value(), expected) << text;
    if (!expected) continue;
    ++seen;
    EXPECT_TRUE(keep_alive->uname.ends_with(" - OSSEC HIDS v4.2.0"));
    EXPECT_EQ(keep_alive->files.size(), 1U);
    EXPECT_FALSE(keep_alive->offers_v2);
  }
  EXPECT_EQ(seen, 2U);
}

TEST(KeepAlive, ReadsUnixWindowsAndVeryOldAgents) {
  const std::string with_conf = "#!-Linux web01 6.1 - OSSEC HIDS v4.2.0 / " + std::string(kSum) +
                                "\n" + std::string(kOtherSum) + " merged.mg\n\nfiller";
  const auto unix_agent = ParseKeepAlive(with_conf);
  ASSERT_TRUE(unix_agent);
  EXPECT_EQ(unix_agent->uname, "Linux web01 6.1 - OSSEC HIDS v4.2.0");
  EXPECT_EQ(unix_agent->agent_conf_md5, kSum);
  EXPECT_EQ(unix_agent->SumOf("merged.mg"), kOtherSum);
  EXPECT_EQ(unix_agent->SumOf("ar.conf"), "");

  const auto windows = ParseKeepAlive(
      "#!-Microsoft Windows Server 2019 (Build 17763) - OSSEC HIDS v4.2.0\nx merged.mg\n");
  ASSERT_TRUE(windows);
  EXPECT_EQ(windows->SumOf("merged.mg"), "x");
  EXPECT_EQ(windows->agent_conf_md5, "");

  const std::string old = "#!-Linux old - OSSEC HIDS v1.0\n" + std::string(kSum) + " ar.conf\n" +
                          std::string(kOtherSum) + " rootkit_files.txt\n\n";
  EXPECT_EQ(ParseKeepAlive(old)->files.size(), 2U);
}

TEST(KeepAlive, FindsTheCapability) {
  EXPECT_TRUE(ParseKeepAlive("#!-u\nx merged.mg\n\nospatrol-caps: v2\nfiller")->offers_v2);
  EXPECT_TRUE(ParseKeepAlive("#!-u\nx merged.mg\n\nospatrol-caps: v3 v2\n")->offers_v2);
  EXPECT_FALSE(ParseKeepAlive("#!-u\nx merged.mg\n\nospatrol-caps: v20\n")->offers_v2);
  EXPECT_FALSE(ParseKeepAlive("#!-u\nx merged.mg\n\nfiller")->offers_v2);
}

TEST(KeepAlive, IsNothingElse) {
  for (const char* text : {"", "#!-", "#!-agent startup ", "#!-agent ack ", "#!-no line feed",
                           "1:ossec:text\n", "#!-execd x\n"}) {
    EXPECT_EQ(ParseKeepAlive(text), std::nullopt) << text;
  }
}

TEST(KeepAlive, ReadsWhatItWrites) {
  const std::string filler = RandomFiller();
  const std::string text = FormatKeepAlive({.uname = "Linux a 1 - OSPatrol v0.1.0",
                                            .agent_conf_md5 = kSum,
                                            .merged_md5 = kOtherSum,
                                            .offers_v2 = true,
                                            .filler = filler});
  const auto keep_alive = ParseKeepAlive(text);
  ASSERT_TRUE(keep_alive);
  EXPECT_EQ(keep_alive->uname, "Linux a 1 - OSPatrol v0.1.0");
  EXPECT_EQ(keep_alive->agent_conf_md5, kSum);
  EXPECT_EQ(keep_alive->SumOf("merged.mg"), kOtherSum);
  EXPECT_TRUE(keep_alive->offers_v2);
  EXPECT_LE(text.size(), kMaxKeepAlive);
}

TEST(KeepAlive, WritesTheBytesOfTheVectors) {
  const auto& step = Vectors()["session_start_transcript"]["steps"][5];
  const std::string text = step["message_text"];
  const size_t filler = text.find("\n\n") + 2;
  const size_t first = text.find('\n');
  EXPECT_EQ(FormatKeepAlive({.uname = std::string_view(text).substr(3, first - 3),
                             .agent_conf_md5 = {},
                             .merged_md5 = {},
                             .offers_v2 = false,
                             .filler = std::string_view(text).substr(filler)}),
            text);
}

TEST(KeepAlive, NeverGrowsTooLarge) {
  const std::string uname(2000, 'u');
  const std::string filler(2000, 'f');
  const std::string text = FormatKeepAlive({.uname = uname,
                                            .agent_conf_md5 = kSum,
                                            .merged_md5 = kOtherSum,
                                            .offers_v2 = true,
                                            .filler = filler});
  EXPECT_EQ(text.size(), kMaxKeepAlive);
  EXPECT_EQ(ParseKeepAlive(text)->uname.size(), kMaxUname);
  const std::string broken = FormatKeepAlive({.uname = "a\nb"});
  EXPECT_EQ(ParseKeepAlive(broken)->uname, "a b");
}

TEST(ClassifyFromAgent, TellsEventsFromControlMessages) {
  EXPECT_EQ(ClassifyFromAgent("1:/var/log/x:text"), AgentMessage::kEvent);
  EXPECT_EQ(ClassifyFromAgent("#!-agent startup "), AgentMessage::kStartup);
  EXPECT_EQ(ClassifyFromAgent("#!-Linux x\nx merged.mg\n"), AgentMessage::kKeepAlive);
  EXPECT_EQ(ClassifyFromAgent("#!-"), AgentMessage::kInvalid);
  EXPECT_EQ(ClassifyFromAgent("#!-agent ack "), AgentMessage::kInvalid);
  EXPECT_EQ(ClassifyFromAgent("#!-execd restart-ossec0"), AgentMessage::kInvalid);
}

TEST(ParseFromManager, KnowsEveryMessage) {
  EXPECT_EQ(ParseFromManager("#!-agent ack ").kind, Kind::kAcknowledgement);
  EXPECT_EQ(ParseFromManager("#!-agent ack").kind, Kind::kUnknown);
  EXPECT_EQ(ParseFromManager("#!-close file ").kind, Kind::kCloseFile);
  EXPECT_EQ(ParseFromManager("#!-syscheck restart").kind, Kind::kSyscheckRestart);
  EXPECT_EQ(ParseFromManager("#!-ospatrol offer v2\n").kind, Kind::kOfferV2);
  const ManagerMessage execd =
      ParseFromManager("#!-execd host-deny600 - 1.2.3.4 1.2 5712 x (null)");
  EXPECT_EQ(execd.kind, Kind::kExecd);
  EXPECT_EQ(execd.text, "host-deny600 - 1.2.3.4 1.2 5712 x (null)");
  const ManagerMessage content = ParseFromManager("any bytes");
  EXPECT_EQ(content.kind, Kind::kFileContent);
  EXPECT_EQ(content.text, "any bytes");
  const std::string up_text = FormatUpFile(kSum, "merged.mg");
  EXPECT_EQ(up_text, "#!-up file 0a8c3d2485c2482957f31bbc9e472de9 merged.mg\n");
  const ManagerMessage up = ParseFromManager(up_text);
  EXPECT_EQ(up.kind, Kind::kUpFile);
  EXPECT_EQ(up.md5, kSum);
  EXPECT_EQ(up.name, "merged.mg");
  for (const char* text : {"#!-up file x merged.mg\n", "#!-up file ", "#!-execd ", "#!-Linux x\n",
                           "#!-up file 0a8c3d2485c2482957f31bbc9e472de9 \n"}) {
    EXPECT_EQ(ParseFromManager(text).kind, Kind::kUnknown) << text;
  }
}

TEST(IsFromManager, RefusesAnAgentsOwnPacketsSentBack) {
  for (const char* own : {"1:/var/log/x:text", "#!-agent startup ", "#!-Linux x\nx merged.mg\n"}) {
    EXPECT_FALSE(IsFromManager(ParseFromManager(own), false)) << own;
  }
  EXPECT_TRUE(IsFromManager(ParseFromManager("content"), true));
  EXPECT_TRUE(IsFromManager(ParseFromManager("#!-agent ack "), false));
}

std::string Joined(const std::vector<std::string_view>& chunks) {
  std::string all;
  for (const std::string_view chunk : chunks) all += chunk;
  return all;
}

TEST(FileChunks, NeverBeginWithThePrefix) {
  const std::string prefix(kControlPrefix);
  const std::string contents[] = {"",
                                  "abc",
                                  prefix,
                                  prefix + prefix,
                                  std::string(900, 'a') + prefix + "rest",
                                  std::string(899, 'a') + prefix,
                                  std::string(1800, 'a') + prefix + std::string(900, 'b')};
  for (const std::string& content : contents) {
    for (const size_t limit : {size_t{1}, size_t{2}, size_t{3}, size_t{900}}) {
      const auto chunks = FileChunks(content, limit);
      EXPECT_EQ(Joined(chunks), content);
      for (const std::string_view chunk : chunks) {
        EXPECT_FALSE(IsControl(chunk));
        EXPECT_FALSE(chunk.empty());
        EXPECT_LE(chunk.size(), limit);
      }
    }
  }
}

TEST(RelayRequest, BecomesTheMessagesOfTheVectors) {
  const auto& cases = Vectors()["active_response_queue"]["cases"];
  ASSERT_EQ(cases.size(), 6U);
  for (const auto& vector : cases) {
    const std::string datagram = vector["datagram"];
    SCOPED_TRACE(datagram);
    const auto request = ParseRelayRequest(datagram);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->Message(), vector["control_message"].get<std::string>());
    const std::string recipients = vector["recipients"];
    EXPECT_EQ(request->all_agents, recipients.starts_with("all"));
    if (request->with_id) {
      EXPECT_THAT(recipients, testing::HasSubstr(std::string(request->id)));
    } else if (!request->all_agents) {
      EXPECT_TRUE(request->named_agent);
    }
  }
}

TEST(RelayRequest, UnderstandsLocationsWithSpaces) {
  const auto request = ParseRelayRequest(
      "(win7) any->C:\\Program Files\\x NRN.log NRN (null) host-deny600 - 1.2.3.4 1.2 5712 x "
      "(null)");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->name, "win7");
  EXPECT_EQ(request->location, "any->C:\\Program Files\\x NRN.log");
  EXPECT_TRUE(request->named_agent);
  EXPECT_EQ(request->payload, "host-deny600 - 1.2.3.4 1.2 5712 x (null)");
}

TEST(RelayRequest, RefusesWhatLacksFields) {
  for (const char* text :
       {"", "(", "()", "(a) ", "(a) NRN (null) x", "(a) loc NRN", "(a) loc NRN 001",
        "(a) loc NRN 001 ", "(a) loc XRN 001 x", "a) loc NRN 001 x", "(a) loc NRN abc x"}) {
    EXPECT_EQ(ParseRelayRequest(text), std::nullopt) << text;
  }
}

TEST(RelayRequest, IsWrittenAsToolsDo) {
  EXPECT_EQ(FormatToolRequest("001", true, "syscheck restart"),
            "(msg_to_agent) [] N!S 001 syscheck restart");
  EXPECT_EQ(FormatToolRequest("", true, "syscheck restart"),
            "(msg_to_agent) [] A!N (null) syscheck restart");
  EXPECT_EQ(FormatToolRequest("001", false, "restart-ossec0 - null x y"),
            "(msg_to_agent) [] NNS 001 restart-ossec0 - null x y");
}

TEST(AgentInfo, ReadsBothFormsAndUnknownLines) {
  const AgentInfo info =
      ParseAgentInfo("Linux web01 6.1 - OSSEC HIDS v4.2.0 / abc\nfuture:1\ncrypto_method:aes\n");
  EXPECT_EQ(info.uname, "Linux web01 6.1");
  EXPECT_EQ(info.version, "OSSEC HIDS v4.2.0 / abc");
  EXPECT_EQ(info.crypto_method, "aes");
  const AgentInfo old = ParseAgentInfo("Linux old - OSSEC HIDS v3.0");
  EXPECT_EQ(old.version, "OSSEC HIDS v3.0");
  EXPECT_EQ(old.crypto_method, "");
  EXPECT_EQ(ParseAgentInfo("").uname, "");
  EXPECT_EQ(AgentInfoValue("first:x\nsecond:y\n", "first"), "") << "the first line is no value";
  EXPECT_EQ(AgentInfoValue("first\nsecond:y\n", "second"), "y");
}

TEST(AgentInfo, IsWrittenAsInTheVectors) {
  const std::string content = Vectors()["session_start_transcript"]["agent_info_file_on_manager"]
                                       ["content_after_the_last_step"];
  EXPECT_EQ(FormatAgentInfo(ParseAgentInfo(content).first_line, "aes"), content);
  EXPECT_EQ(AgentInfoFile(VectorAgents().entries()[0]), "web01-10.0.0.5");
  EXPECT_EQ(AgentInfoFile(*VectorAgents().Find("003")), "lan-cidr-192.168.2.0");
}

}  // namespace
}  // namespace ospatrol::secure
