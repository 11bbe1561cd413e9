#include "daemon/resolver_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ospatrol::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ResolverProtocol, QuestionsSurviveTheTrip) {
  const auto question = ParseQuestion(Encode(Question{4294967295U, "mail.example.org"}));
  ASSERT_TRUE(question);
  EXPECT_EQ(question->id, 4294967295U);
  EXPECT_EQ(question->name, "mail.example.org");
}

TEST(ResolverProtocol, AnswersSurviveTheTrip) {
  const auto answer = ParseAnswer(Encode(Answer{7, {"192.0.2.1", "2001:db8::1"}}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 7U);
  EXPECT_THAT(answer->addresses, ElementsAre("192.0.2.1", "2001:db8::1"));
  EXPECT_THAT(ParseAnswer(Encode(Answer{8, {}}))->addresses, IsEmpty());
}

TEST(ResolverProtocol, RefusesMalformedQuestions) {
  const std::string long_name(254, 'a');
  for (const std::string& bad :
       {std::string(), std::string("7"), std::string("x name"), std::string("7 two words"),
        std::string("7 "), std::string("-1 name"), "7 " + long_name, std::string("7 a\nb"),
        std::string("7 \xc3\xbc"), std::string("4294967296 name")}) {
    EXPECT_FALSE(ParseQuestion(bad)) << bad;
  }
  EXPECT_TRUE(ParseQuestion("7 " + long_name.substr(1)));
}

TEST(ResolverProtocol, BelievesNothingButAddresses) {
  EXPECT_FALSE(ParseAnswer(""));
  EXPECT_FALSE(ParseAnswer("x 192.0.2.1"));
  EXPECT_THAT(ParseAnswer("7 evil 192.0.2.1 300.1.1.1  ::g fe80::1%eth0")->addresses,
              ElementsAre("192.0.2.1"));
}

TEST(ResolverProtocol, TakesAtMostSixteenAddresses) {
  std::string message = "7";
  for (int i = 0; i < 40; ++i) message += " 192.0.2." + std::to_string(i);
  EXPECT_EQ(ParseAnswer(message)->addresses.size(), kMostAddresses);
}

}  // namespace
}  // namespace ospatrol::daemon
