#include "ipc/queue_message.h"

#include <gtest/gtest.h>

namespace ospatrol::ipc {
namespace {

struct Good {
  const char* name;
  std::string_view bytes;
  char kind;
  std::string_view location;
  std::string_view text;
};

class ParsesMessage : public ::testing::TestWithParam<Good> {};

TEST_P(ParsesMessage, IntoKindLocationAndText) {
  const auto message = ParseQueueMessage(GetParam().bytes);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->kind, GetParam().kind);
  EXPECT_EQ(message->location, GetParam().location);
  EXPECT_EQ(message->text, GetParam().text);
}

using std::string_view_literals::operator""sv;

INSTANTIATE_TEST_SUITE_P(
    QueueMessage, ParsesMessage,
    ::testing::Values(
        Good{"LocalFile", "1:/var/log/auth.log:a b", '1', "/var/log/auth.log", "a b"},
        Good{"TextMayHoldColons", "1:x:a:b:c", '1', "x", "a:b:c"},
        Good{"EmptyText", "1:/x:", '1', "/x", ""},
        Good{"EmptyLocation", "1::text", '1', "", "text"},
        Good{"SecondByteIsNotLookedAt", "1;/x:text", '1', "/x", "text"},
        Good{"UnknownKind", "q:/x:text", 'q', "/x", "text"},
        Good{"BehindNulIsIgnored", "1:/x:text\0:more"sv, '1', "/x", "text"},
        Good{"Agent", "1:(web1) 10.0.0.5->/var/log/a:t", '1', "(web1) 10.0.0.5->/var/log/a", "t"},
        Good{"AgentWithIpv6", "1:(web1) 2001:db8::1->/a:t", '1', "(web1) 2001:db8::1->/a", "t"},
        Good{"OnlyTheFirstArrowCounts", "1:(a) any->x->y:t:->", '1', "(a) any->x->y", "t:->"},
        Good{"NumberedAgent", "1:[003] (web1) 2001:db8::1->/a:t", '1', "(web1) 2001:db8::1->/a",
             "t"},
        Good{"BracketedIpv6", "2:[2001:db8::1]:t", '2', "2001:db8::1", "t"},
        Good{"BracketThatIsNoAddress", "1:[x] y:t", '1', "[x] y", "t"},
        Good{"OpenBracket", "1:[x:t", '1', "[x", "t"},
        Good{"DotsInsideAName", "1:/var/..log/a..:t", '1', "/var/..log/a..", "t"}),
    [](const auto& row) { return std::string(row.param.name); });

struct Bad {
  const char* name;
  std::string_view bytes;
  MessageFault fault;
};

class RefusesMessage : public ::testing::TestWithParam<Bad> {};

TEST_P(RefusesMessage, AndSaysWhy) {
  MessageFault fault{};
  EXPECT_FALSE(ParseQueueMessage(GetParam().bytes, &fault).has_value());
  EXPECT_EQ(fault, GetParam().fault);
  EXPECT_FALSE(ParseQueueMessage(GetParam().bytes).has_value());
}

INSTANTIATE_TEST_SUITE_P(
    QueueMessage, RefusesMessage,
    ::testing::Values(Bad{"Empty", "", MessageFault::kTooShort},
                      Bad{"ThreeBytes", "1:a", MessageFault::kTooShort},
                      Bad{"NulAtTheThirdByte", "1:\0/x:text"sv, MessageFault::kTooShort},
                      Bad{"NoSeparator", "1:/var/log/x", MessageFault::kNoSeparator},
                      Bad{"AgentWithoutArrow", "1:(web1) 10.0.0.5:t", MessageFault::kNoSeparator},
                      Bad{"AgentWithoutEnd", "1:(web1) any->/x", MessageFault::kNoSeparator},
                      Bad{"Parent", "1:..:t", MessageFault::kBadLocation},
                      Bad{"ParentFirst", "1:../x:t", MessageFault::kBadLocation},
                      Bad{"ParentInside", "1:/a/../b:t", MessageFault::kBadLocation},
                      Bad{"ParentLast", "1:/a/..:t", MessageFault::kBadLocation},
                      Bad{"ParentInBrackets", "2:[../x]:t", MessageFault::kBadLocation}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(FormatsMessage, SoThatItParsesBack) {
  for (const std::string_view location :
       {"/var/log/a", "(web1) 2001:db8::1->/a", "[2001:db8::1]", "[003] (w) ::1->/a", "df -P"}) {
    const std::string bytes = FormatQueueMessage(Kind::kLog, location, "te:xt");
    const auto message = ParseQueueMessage(bytes);
    ASSERT_TRUE(message.has_value()) << bytes;
    EXPECT_EQ(message->text, "te:xt") << bytes;
  }
}

TEST(FormatsMessage, WithColonsOfTheLocationReplaced) {
  EXPECT_EQ(FormatQueueMessage(Kind::kSyslog, "a:b", "t"), "2:a\\b:t");
  EXPECT_EQ(FormatQueueMessage(Kind::kLog, "(w) ::1->C:\\x", "t"), "1:(w) ::1->C\\\\x:t");
  EXPECT_EQ(FormatQueueMessage(Kind::kLog, "(no: arrow", "t"), "1: (no\\ arrow:t");
  EXPECT_EQ(FormatQueueMessage(Kind::kSyslog, "[::1]", "t"), "2:[::1]:t");
}

TEST(FormatsMessage, CutAtTheLimitWithTheLocationWhole) {
  const std::string bytes = FormatQueueMessage(Kind::kLog, "/x", std::string(70000, 'a'));
  EXPECT_EQ(bytes.size(), kMaxMessage);
  const std::string odd = FormatQueueMessage(Kind::kLog, std::string(70000, 'l'), "text");
  EXPECT_EQ(ParseQueueMessage(odd)->text, "text");
}

TEST(QueueMessage, TellsTheIdOfTheAgentApartFromItsLocation) {
  const auto message = ParseQueueMessage("1:[003] (web1) any->/a:t");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->agent_id, "003");
  EXPECT_EQ(message->location, "(web1) any->/a");
  EXPECT_EQ(ParseQueueMessage("1:(web1) any->/a:t")->agent_id, "");
  EXPECT_EQ(ParseQueueMessage("2:[::1]:t")->agent_id, "");
}

TEST(QueueMessage, ReadsBackALocationThatBeginsLikeAnAddressButIsNone) {
  const std::string formatted = FormatQueueMessage(Kind::kLog, "[#p", "3]:");
  const auto message = ParseQueueMessage(formatted);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->location, " [#p");
  EXPECT_EQ(message->text, "3]:");
}

}  // namespace
}  // namespace ospatrol::ipc
