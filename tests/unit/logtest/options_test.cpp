#include "logtest/options.h"

#include <gtest/gtest.h>

namespace ospatrol::logtest {
namespace {

TEST(Expectation, NeedsTwoColons) {
  EXPECT_FALSE(ParseExpectation("5710:5"));
  EXPECT_FALSE(ParseExpectation(""));
  ASSERT_TRUE(ParseExpectation("5710:5:sshd"));
}

TEST(Expectation, LetsTheDecoderNameContainColons) {
  const auto expected = ParseExpectation("1:2:a:b");
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->rule, "1");
  EXPECT_EQ(expected->level, "2");
  EXPECT_EQ(expected->decoder, "a:b");
}

}  // namespace
}  // namespace ospatrol::logtest
