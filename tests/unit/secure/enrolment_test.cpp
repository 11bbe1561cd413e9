#include "secure/enrolment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "secure/keys_file.h"

namespace ospatrol::secure {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using State = EnrolmentRequest::State;

struct RequestCase {
  std::string_view text;
  State state;
  std::optional<std::string_view> password;
  std::string_view name;
};

TEST(EnrolmentRequest, IsReadInEveryFormThatClientsSend) {
  const RequestCase cases[] = {
      {"OSSEC A:'web'\n", State::kComplete, {}, "web"},
      {"OSSEC A:'web'", State::kComplete, {}, "web"},
      {"OSSEC A:''\n", State::kComplete, {}, ""},
      {"OSSEC A:'bad name'\n", State::kComplete, {}, "bad name"},
      {"OSSEC PASS: secret OSSEC A:'web'\n", State::kComplete, "secret", "web"},
      {"OSSEC PASS: secret\n OSSEC A:'web'\n", State::kComplete, "secret", "web"},
      {"OSSEC PASS: secret\r\n OSSEC A:'web'\n", State::kComplete, "secret", "web"},
      {"OSSEC PASS: two words OSSEC A:'web'\n", State::kComplete, "two words", "web"},
      {"OSSEC PASS:  OSSEC A:'web'\n", State::kComplete, "", "web"},
      {"", State::kIncomplete, {}, ""},
      {"OSS", State::kIncomplete, {}, ""},
      {"OSSEC ", State::kIncomplete, {}, ""},
      {"OSSEC A:'we", State::kIncomplete, {}, ""},
      {"OSSEC PASS: sec", State::kIncomplete, {}, ""},
      {"OSSEC PASS: secret\n", State::kIncomplete, {}, ""},
      {"OSSEC PASS: secret\n OSSEC", State::kIncomplete, {}, ""},
      {"OSSEC X:'foo'\n", State::kMalformed, {}, ""},
      {"OSSEC PASS: secret OSSEC X:'foo'\n", State::kMalformed, {}, ""},
      {"OSSEC PASS: secret\nOSSEC A:'foo'\n", State::kMalformed, {}, ""},
      {"OSSEC A:'foo\n", State::kMalformed, {}, ""},
      {"OSSEC A:'f\no'\n", State::kMalformed, {}, ""},
      {"OSSEC PASS: a\nb OSSEC A:'foo'\n", State::kMalformed, {}, ""},
      {"ospatrol A:'foo'\n", State::kMalformed, {}, ""},
      {"GET / HTTP/1.0\r\n", State::kMalformed, {}, ""},
  };
  for (const RequestCase& expected : cases) {
    SCOPED_TRACE(expected.text);
    const EnrolmentRequest request = ParseEnrolmentRequest(expected.text);
    EXPECT_EQ(request.state, expected.state);
    EXPECT_EQ(request.password, expected.password);
    EXPECT_EQ(request.name, expected.name);
  }
}

TEST(EnrolmentRequest, HasALimit) {
  const std::string text = "OSSEC A:'" + std::string(kMaxEnrolmentRequest, 'a');
  EXPECT_EQ(ParseEnrolmentRequest(text).state, State::kMalformed);
}

TEST(EnrolmentRequest, IsWrittenAsServersExpectIt) {
  EXPECT_EQ(FormatEnrolmentRequest({}, "web"), "OSSEC A:'web'\n");
  EXPECT_EQ(FormatEnrolmentRequest("topsecret", "web"), "OSSEC PASS: topsecret OSSEC A:'web'\n");
}

TEST(SamePassword, ComparesAll) {
  EXPECT_TRUE(SamePassword("secret", "secret"));
  EXPECT_FALSE(SamePassword("secret", "secrex"));
  EXPECT_FALSE(SamePassword("secret", "secret2"));
  EXPECT_FALSE(SamePassword("", "secret"));
}

TEST(EnrolmentAnswers, AreThoseOfTheDialogue) {
  EXPECT_EQ(FormatInvalidName("bad name"),
            "ERROR: Invalid agent name: bad name\n\nERROR: Unable to add agent.\n\n");
  EXPECT_EQ(FormatAddressTaken("1024"),
            "ERROR: Invalid IP address: 1024\n\nERROR: Unable to add agent.\n\n");
  EXPECT_EQ(FormatEnrolmentFailure("x"),
            "ERROR: Internal manager error adding agent: x\n\nERROR: Unable to add agent.\n\n");
  const AgentKey agent = MakeAgentKey("1024", "web", "192.0.2.5", std::string(64, 'a')).value();
  EXPECT_EQ(FormatEnrolledKey(agent),
            "OSSEC K:'1024 web 192.0.2.5 " + std::string(64, 'a') + "'\n\n");
  EXPECT_THAT(FormatInvalidName("a\nOSSEC K:'1"), HasSubstr("a\\nOSSEC"));
}

TEST(EnrolmentReply, GivesTheKey) {
  const std::string key(64, '0');
  const EnrolmentReply reply = ParseEnrolmentReply("OSSEC K:'1024 web any " + key + "'\n\n");
  ASSERT_TRUE(reply.agent);
  EXPECT_EQ(FormatKeyLine(*reply.agent), "1024 web any " + key);
  EXPECT_TRUE(ParseEnrolmentReply("OSSEC K:'1024 web 2001:db8::1 " + key + "'\n\n").agent);
}

TEST(EnrolmentReply, WaitsForTheWholeLine) {
  EXPECT_EQ(ParseEnrolmentReply("").state, EnrolmentReply::State::kIncomplete);
  EXPECT_EQ(ParseEnrolmentReply("OSSEC K:'1024 web any 00").state,
            EnrolmentReply::State::kIncomplete);
  EXPECT_EQ(ParseEnrolmentReply("ERROR: Unable to add agent.\n\n").state,
            EnrolmentReply::State::kIncomplete);
}

TEST(EnrolmentReply, RefusesKeysThatBreakTheRules) {
  const std::string key(64, '0');
  const std::pair<std::string, const char*> bad[] = {
      {"1024 web any", "four parts"},
      {"1024 web any " + key + " more", "four parts"},
      {"x web any " + key, "id"},
      {"1024 a/b any " + key, "name"},
      {"1024 web 10.0.0.0/8 " + key, "address"},
      {"1024 web !10.0.0.1 " + key, "address"},
      {"1024 web host " + key, "address"},
      {"1024 web any 0123", "key"},
  };
  for (const auto& [line, fault] : bad) {
    const EnrolmentReply reply = ParseEnrolmentReply("OSSEC K:'" + line + "'\n\n");
    EXPECT_EQ(reply.state, EnrolmentReply::State::kInvalidKey) << line;
    EXPECT_THAT(reply.fault, HasSubstr(fault)) << line;
  }
  EXPECT_EQ(ParseEnrolmentReply("OSSEC K:'1024 web\n").state, EnrolmentReply::State::kInvalidKey);
}

TEST(EnrolmentErrors, AreShownWithoutControlBytes) {
  EXPECT_THAT(EnrolmentErrors("ERROR: one\n\nother\nERROR: t\x1bwo\n\nERROR: cut"),
              ElementsAre("ERROR: one", "ERROR: t\\x1bwo"));
}

}  // namespace
}  // namespace ospatrol::secure
