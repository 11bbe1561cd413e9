#include "remoted/forwarding.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "ipc/queue_message.h"
#include "secure/keys.h"

namespace ospatrol::remoted {
namespace {

using std::string_view_literals::operator""sv;

constexpr Origin kWeb{"001", "web01", "10.0.0.5"};

std::string Forwarded(std::string_view message, const Origin& origin = kWeb) {
  std::string out;
  return AppendAgentEvent(origin, message, out) == Forwarding::kForwarded ? out : "";
}

TEST(Forwarding, MakesTheDatagramsOfTheReference) {
  std::ifstream file(OSPATROL_TEST_DATA "/wire-vectors.json");
  const auto vectors = nlohmann::json::parse(file);
  int compared = 0;
  for (const auto& row : vectors["forwarding_to_analysisd"]["cases"]) {
    std::vector<secure::KeyProblem> problems;
    const auto table = secure::ParseKeys(row["client_keys_line"].get<std::string>(), problems);
    const secure::AgentKey& key = table.entries().front();
    std::string message;
    if (row.contains("message_text")) {
      message = row["message_text"];
    } else {
      const std::string hex = row["message_hex"];
      for (size_t i = 0; i < hex.size(); i += 2) {
        message += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
      }
    }
    const std::string event = Forwarded(message, {key.id, key.name, key.address});
    if (row["queue_datagram_text"].is_null()) {
      EXPECT_EQ(event, "") << message;
    } else {
      EXPECT_EQ(ForDatagramQueue(event), row["queue_datagram_text"].get<std::string>());
    }
    ++compared;
  }
  EXPECT_EQ(compared, 7);
}

TEST(Forwarding, NamesTheAgentByIdOnTheStream) {
  EXPECT_EQ(Forwarded("1:/var/log/a:t"), "1:[001] (web01) 10.0.0.5->/var/log/a:t");
  const auto read = ipc::ParseQueueMessage(Forwarded("1:/var/log/a:t:x"));
  ASSERT_TRUE(read);
}

struct Refusal {
  const char* name;
  std::string_view message;
  Forwarding result;
};

class Refuses : public testing::TestWithParam<Refusal> {};

TEST_P(Refuses, AndLeavesTheOutputAsItWas) {
  std::string out = "before";
  EXPECT_EQ(AppendAgentEvent(kWeb, GetParam().message, out), GetParam().result);
  EXPECT_EQ(out, "before");
}

INSTANTIATE_TEST_SUITE_P(
    Forwarding, Refuses,
    testing::Values(Refusal{"Empty", "", Forwarding::kMalformed},
                    Refusal{"TwoBytes", "1:", Forwarding::kMalformed},
                    Refusal{"NoSecondColon", "1:text", Forwarding::kMalformed},
                    Refusal{"WrongSecondByte", "1/var/log/auth.log:x", Forwarding::kMalformed},
                    Refusal{"UnknownKind", "4:a:b", Forwarding::kMalformed},
                    Refusal{"KindOfAFork", "x:a:b", Forwarding::kMalformed},
                    Refusal{"NulFirst", "\0:a:b"sv, Forwarding::kMalformed},
                    Refusal{"ColonBehindNul", "1:a\0:b"sv, Forwarding::kMalformed},
                    Refusal{"Mark", "1:keepalive:foo", Forwarding::kSilent},
                    Refusal{"OtherAgentsName", "1:(db) any->/x:t", Forwarding::kLocation},
                    Refusal{"Arrow", "1:a->b:t", Forwarding::kLocation},
                    Refusal{"LineFeed", "1:a\nb:t", Forwarding::kLocation},
                    Refusal{"ParentFolder", "8:../../etc:t", Forwarding::kLocation},
                    Refusal{"ParentInside", "8:a/../b:t", Forwarding::kLocation},
                    Refusal{"ParentOfWindows", "8:a\\..\\b:t", Forwarding::kLocation},
                    Refusal{"OnlyParent", "8:..:t", Forwarding::kLocation}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Forwarding, LetsDotsInNamesPass) {
  EXPECT_NE(Forwarded("1:/var/a..b/..c:t"), "");
  EXPECT_NE(Forwarded("1:/var/...:t"), "");
}

TEST(Forwarding, CutsAtTheLimitsOfBothQueues) {
  const std::string event = Forwarded("1:/x:" + std::string(70000, 'a'));
  EXPECT_EQ(event.size(), ipc::kMaxMessage);
  EXPECT_EQ(ForDatagramQueue(event).size(), kMaxDatagramEvent);
}

TEST(DatagramQueue, KeepsWhatIsNoAgentsEvent) {
  EXPECT_EQ(ForDatagramQueue("2:10.0.0.9:text"), "2:10.0.0.9:text");
  EXPECT_EQ(ForDatagramQueue("2:[::1]:text ] (x"), "2:[::1]:text ] (x");
  EXPECT_EQ(ForDatagramQueue("1:[a] (b) c->d:e"), "1:[a] (b) c->d:e");
}

struct Syslog {
  const char* name;
  std::string_view source, message, event;
};

class SyslogEvents : public testing::TestWithParam<Syslog> {};

TEST_P(SyslogEvents, AreNamedByTheirSource) {
  std::string out;
  EXPECT_EQ(AppendSyslogEvent(GetParam().source, GetParam().message, out),
            !GetParam().event.empty());
  EXPECT_EQ(out, GetParam().event);
}

INSTANTIATE_TEST_SUITE_P(
    Forwarding, SyslogEvents,
    testing::Values(Syslog{"Plain", "10.0.0.9", "sshd: x", "2:10.0.0.9:sshd: x"},
                    Syslog{"Priority", "10.0.0.9", "<13>Mar 1 a", "2:10.0.0.9:Mar 1 a"},
                    Syslog{"LineFeed", "10.0.0.9", "<13>a\n", "2:10.0.0.9:a"},
                    Syslog{"OnlyOneLineFeed", "10.0.0.9", "a\n\n", "2:10.0.0.9:a\n"},
                    Syslog{"NoEndOfPriority", "10.0.0.9", "<13 a", "2:10.0.0.9:<13 a"},
                    Syslog{"IPv6", "2001:db8::1", "a", "2:[2001:db8::1]:a"},
                    Syslog{"Empty", "10.0.0.9", "", ""},
                    Syslog{"OnlyPriority", "10.0.0.9", "<13>", ""},
                    Syslog{"OnlyLineFeed", "10.0.0.9", "\n", ""},
                    Syslog{"EndsAtNul", "10.0.0.9", "a\0b"sv, "2:10.0.0.9:a"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace ospatrol::remoted
