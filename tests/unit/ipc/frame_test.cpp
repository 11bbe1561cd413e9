#include "ipc/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ipc/queue_message.h"

namespace ospatrol::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SenderId Sender(uint8_t fill) {
  SenderId id;
  id.fill(fill);
  return id;
}

std::string TwoGroups() {
  FrameBuilder builder;
  EXPECT_TRUE(builder.Add(Sender(1), 7, "1:/a:one"));
  EXPECT_TRUE(builder.Add(Sender(1), 8, "1:/a:two"));
  EXPECT_TRUE(builder.Add(Sender(2), 100, "1:/b:three"));
  return std::string(builder.Finish(5));
}

std::string WhyRefused(const std::string& bytes) {
  Frame frame;
  std::string reason;
  EXPECT_FALSE(ParseFrame(bytes, frame, reason));
  EXPECT_FALSE(reason.empty());
  return reason;
}

TEST(Frame, KeepsGroupsNumbersAndTexts) {
  const std::string bytes = TwoGroups();
  Frame frame;
  std::string reason;
  ASSERT_TRUE(ParseFrame(bytes, frame, reason)) << reason;
  EXPECT_EQ(frame.number, 5u);
  ASSERT_EQ(frame.groups.size(), 2u);
  EXPECT_EQ(frame.groups[0].sender, Sender(1));
  EXPECT_EQ(frame.groups[0].first, 7u);
  EXPECT_THAT(frame.groups[0].events, ElementsAre("1:/a:one", "1:/a:two"));
  EXPECT_EQ(frame.groups[1].sender, Sender(2));
  EXPECT_EQ(frame.groups[1].first, 100u);
  EXPECT_THAT(frame.groups[1].events, ElementsAre("1:/b:three"));
}

TEST(Frame, HasTheDocumentedBytes) {
  FrameBuilder builder;
  ASSERT_TRUE(builder.Add(Sender(0xab), 0x0102030405060708, "x"));
  std::string expected = "\x01";
  expected += std::string("\0\0\0\0\0\0\0\x09", 8) + std::string("\0\x01", 2);
  expected += std::string(16, '\xab') + "\x01\x02\x03\x04\x05\x06\x07\x08";
  expected += std::string("\0\x01", 2) + std::string("\0\0\0\x01", 4) + "x";
  EXPECT_EQ(builder.Finish(9), expected);
}

TEST(Frame, IsRefusedWhenCutAtAnyByte) {
  const std::string bytes = TwoGroups();
  for (size_t length = 0; length < bytes.size(); ++length) {
    WhyRefused(bytes.substr(0, length));
  }
}

TEST(Frame, IsRefusedWithBytesBehindTheLastEvent) {
  EXPECT_THAT(WhyRefused(TwoGroups() + "x"), HasSubstr("1 bytes behind"));
}

TEST(Frame, IsRefusedWithAnotherVersion) {
  std::string bytes = TwoGroups();
  bytes[0] = 2;
  EXPECT_THAT(WhyRefused(bytes), HasSubstr("version 2"));
}

TEST(Frame, IsRefusedWithoutGroups) {
  FrameBuilder builder;
  EXPECT_THAT(WhyRefused(std::string(builder.Finish(1))), HasSubstr("no groups"));
}

TEST(Frame, IsRefusedWithMoreGroupsThanFit) {
  std::string bytes = TwoGroups();
  bytes[9] = bytes[10] = '\xff';
  EXPECT_THAT(WhyRefused(bytes), HasSubstr("65535 groups"));
}

TEST(Frame, IsRefusedWithAGroupLess) {
  std::string bytes = TwoGroups();
  bytes[10] = 1;
  EXPECT_THAT(WhyRefused(bytes), HasSubstr("behind the last event"));
}

TEST(Frame, IsRefusedWithAGroupOfNoEvents) {
  std::string bytes = TwoGroups();
  bytes[11 + 16 + 8 + 1] = 0;
  EXPECT_THAT(WhyRefused(bytes), HasSubstr("group 1 has no events"));
}

TEST(Frame, IsRefusedWithMoreEventsThanFit) {
  std::string bytes = TwoGroups();
  bytes[11 + 16 + 8] = '\xff';
  EXPECT_THAT(WhyRefused(bytes), HasSubstr("announces 65282 events"));
}

TEST(Frame, IsRefusedWithAnEventAboveTheLimit) {
  std::string bytes = TwoGroups();
  bytes[11 + 26 + 1] = 1;  // 65536 and more
  EXPECT_THAT(WhyRefused(bytes), HasSubstr("more than 65535"));
}

TEST(Frame, IsRefusedWhenEventNumbersWouldWrapOrBeginAtZero) {
  std::string bytes = TwoGroups();
  std::fill(bytes.begin() + 27, bytes.begin() + 35, '\xff');
  EXPECT_THAT(WhyRefused(bytes), HasSubstr("event number"));
  std::fill(bytes.begin() + 27, bytes.begin() + 35, '\0');
  EXPECT_THAT(WhyRefused(bytes), HasSubstr("event number 0"));
}

TEST(Frame, IsRefusedAboveTheMaximumSize) {
  EXPECT_THAT(WhyRefused(std::string(kMaxFrame + 1, '\1')), HasSubstr("more than 131072"));
}

TEST(FrameBuilder, StartsAGroupAfterAGapAndForAnotherSender) {
  FrameBuilder builder;
  for (const uint64_t number : {1, 2, 4}) ASSERT_TRUE(builder.Add(Sender(1), number, "e"));
  ASSERT_TRUE(builder.Add(Sender(2), 5, "e"));
  ASSERT_TRUE(builder.Add(Sender(1), 5, "e"));
  EXPECT_EQ(builder.events(), 5u);
  const std::string bytes(builder.Finish(1));
  Frame frame;
  std::string reason;
  ASSERT_TRUE(ParseFrame(bytes, frame, reason)) << reason;
  ASSERT_EQ(frame.groups.size(), 4u);
  EXPECT_EQ(frame.groups[0].events.size(), 2u);
  EXPECT_EQ(frame.groups[3].first, 5u);
}

TEST(FrameBuilder, FillsAFrameToTheLastByteAndNoFurther) {
  FrameBuilder builder;
  ASSERT_TRUE(builder.Add(Sender(1), 1, std::string(kMaxMessage, 'a')));
  const size_t left = kMaxFrame - builder.Finish(1).size();
  EXPECT_FALSE(builder.Add(Sender(1), 2, std::string(left - 3, 'b')));
  EXPECT_TRUE(builder.Add(Sender(1), 2, std::string(left - 4, 'b')));
  const std::string bytes(builder.Finish(1));
  EXPECT_EQ(bytes.size(), kMaxFrame);
  Frame frame;
  std::string reason;
  EXPECT_TRUE(ParseFrame(bytes, frame, reason)) << reason;
}

TEST(FrameBuilder, CutsAnEventAboveTheLimit) {
  FrameBuilder builder;
  ASSERT_TRUE(builder.Add(Sender(1), 1, std::string(kMaxMessage + 10, 'a')));
  const std::string bytes(builder.Finish(1));
  Frame frame;
  std::string reason;
  ASSERT_TRUE(ParseFrame(bytes, frame, reason)) << reason;
  EXPECT_EQ(frame.groups[0].events[0].size(), kMaxMessage);
}

TEST(FrameBuilder, IsEmptyAgainAfterClear) {
  FrameBuilder builder;
  ASSERT_TRUE(builder.Add(Sender(1), 1, "a"));
  builder.Clear();
  EXPECT_TRUE(builder.empty());
  ASSERT_TRUE(builder.Add(Sender(1), 2, "b"));
  const std::string bytes(builder.Finish(1));
  Frame frame;
  std::string reason;
  ASSERT_TRUE(ParseFrame(bytes, frame, reason)) << reason;
  EXPECT_EQ(frame.groups[0].first, 2u);
}

TEST(Answer, GoesThereAndBack) {
  const std::string bytes = FormatAnswer(0x0102030405060708);
  EXPECT_EQ(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08");
  uint64_t number = 0;
  ASSERT_TRUE(ParseAnswer(bytes, number));
  EXPECT_EQ(number, 0x0102030405060708u);
  EXPECT_FALSE(ParseAnswer(bytes.substr(1), number));
  EXPECT_FALSE(ParseAnswer(bytes + "x", number));
}

}  // namespace
}  // namespace ospatrol::ipc
