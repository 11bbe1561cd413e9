#include "secure/v2/frames.h"

#include <gtest/gtest.h>

#include <vector>

#include "secure/v2/batch.h"
#include "secure/v2/batch_reader.h"
#include "simulation.h"

namespace ospatrol::secure::v2 {
namespace {

template <typename Parse>
auto Read(const FrameWriter& writer, Parse parse) {
  FrameReader reader(writer.written());
  const auto item = reader.Next();
  EXPECT_TRUE(item.has_value());
  const auto frame = parse(item->content);
  EXPECT_TRUE(frame.has_value());
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_FALSE(reader.malformed());
  // One byte less never parses as the same frame without complaint about the length.
  return *frame;
}

class Frames : public testing::Test {
 protected:
  std::array<uint8_t, 2000> memory_{};
  FrameWriter writer_{memory_};
};

TEST_F(Frames, CarryEvents) {
  const std::vector<uint8_t> data(30, 7);
  ASSERT_TRUE(writer_.Put(EventsFrame{5, 3, Codec::kDeflate, 100, data}));
  const auto frame = Read(writer_, ParseEvents);
  EXPECT_EQ(frame.first, 5u);
  EXPECT_EQ(frame.count, 3);
  EXPECT_EQ(frame.codec, Codec::kDeflate);
  EXPECT_EQ(frame.raw_length, 100);
  EXPECT_EQ(frame.data.size(), 30u);
}

TEST_F(Frames, CarryParts) {
  const std::vector<uint8_t> data(30, 7);
  ASSERT_TRUE(writer_.Put(PartFrame{5, 100, 70, data}));
  EXPECT_EQ(Read(writer_, ParsePart).offset, 70u);
}

TEST_F(Frames, RefuseAPartThatReachesBeyondItsEvent) {
  const std::vector<uint8_t> data(31, 7);
  ASSERT_TRUE(writer_.Put(PartFrame{5, 100, 70, data}));
  FrameReader reader(writer_.written());
  EXPECT_FALSE(ParsePart(reader.Next()->content).has_value());
}

TEST_F(Frames, CarryAcknowledgements) {
  AckFrame ack;
  ack.stored = 9;
  ack.largest = 100;
  ack.delay_ms = 25;
  ack.busy = true;
  ack.count = 2;
  ack.ranges[0] = {0, 50};
  ack.ranges[1] = {1, 50};
  ASSERT_TRUE(writer_.Put(ack));
  const auto frame = Read(writer_, ParseAck);
  EXPECT_TRUE(frame.busy);
  EXPECT_EQ(frame.ranges[1].received, 50);
}

TEST_F(Frames, RefuseAcknowledgementsBelowPacketZero) {
  AckFrame ack;
  ack.largest = 100;
  ack.count = 1;
  ack.ranges[0] = {0, 102};
  ASSERT_TRUE(writer_.Put(ack));
  FrameReader reader(writer_.written());
  EXPECT_FALSE(ParseAck(reader.Next()->content).has_value());
}

TEST_F(Frames, CarryControlsWithTheirAge) {
  ASSERT_TRUE(writer_.Put(ControlFrame{77, -1500, "execd host-deny600"}));
  const auto frame = Read(writer_, ParseControl);
  EXPECT_EQ(frame.queued_ms, -1500);
  EXPECT_EQ(frame.text, "execd host-deny600");
}

TEST_F(Frames, CarryFilesAndNameThemAtTheirBeginningOnly) {
  FileFrame file;
  file.transfer = 3;
  file.size = 100;
  file.sum[5] = 9;
  file.name = "merged.mg";
  file.bytes = AsBytes("abc");
  ASSERT_TRUE(writer_.Put(file));
  const auto first = Read(writer_, ParseFile);
  EXPECT_EQ(first.name, "merged.mg");
  EXPECT_EQ(first.sum, file.sum);
  FrameWriter later(memory_);
  file.offset = 97;
  ASSERT_TRUE(later.Put(file));
  EXPECT_EQ(AsText(Read(later, ParseFile).bytes), "abc");
  EXPECT_EQ(Read(later, ParseFile).name, "");
}

TEST_F(Frames, CutTextsAtTheirLimit) {
  ASSERT_TRUE(writer_.Put(CloseFrame{1, std::string(1000, 'x')}));
  EXPECT_EQ(Read(writer_, ParseClose).text.size(), CloseFrame::kMaxText);
}

TEST_F(Frames, AreNotPutWhenThereIsNoRoom) {
  FrameWriter small(MutableBytes(memory_).first(18));
  EXPECT_FALSE(small.Put(GapFrame{1, 5}));
  EXPECT_EQ(small.size(), 0u);
  EXPECT_TRUE(small.PutPing(FrameType::kPing, PingCookie{}));
}

TEST_F(Frames, StopAtALengthThatDoesNotFit) {
  const std::vector<uint8_t> bytes = {9, 0, 8, 1, 2};
  FrameReader reader(bytes);
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_TRUE(reader.malformed());
}

TEST_F(Frames, FillADatagramWithPadding) {
  writer_.PutPing(FrameType::kPing, PingCookie{});
  writer_.PadTo(1000);
  EXPECT_EQ(writer_.size(), 1000u);
  writer_.PadTo(1002);  // too little for a frame
  EXPECT_EQ(writer_.size(), 1000u);
}

TEST(Batch, GivesBackWhatWasPutIn) {
  BatchBuilder builder;
  std::vector<std::string> events;
  for (int i = 0; i < 200; ++i) {
    events.push_back("1:/var/log/auth.log:Nov 22 07:00:00 web01 sshd[" + std::to_string(i * 7919) +
                     "]: Failed password for root");
  }
  BatchReader reader;
  size_t next = 0;
  size_t datagrams = 0;
  while (next < events.size()) {
    std::array<uint8_t, 1168> memory{};
    FrameWriter writer(memory);
    builder.Begin(next + 1);
    for (size_t i = next; i < events.size() && builder.Add(events[i], writer.room()); ++i) {
    }
    const uint16_t count = builder.Put(writer);
    ASSERT_GT(count, 0);
    FrameReader frames(writer.written());
    const auto frame = ParseEvents(frames.Next()->content);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->first, next + 1);
    const auto read = reader.Read(*frame);
    ASSERT_TRUE(read.has_value());
    ASSERT_EQ(read->size(), count);
    for (const std::string_view event : *read) EXPECT_EQ(event, events[next++]);
    ++datagrams;
  }
  EXPECT_LT(datagrams, 8u);
}

TEST(Batch, LeavesAnEventThatFitsIntoNoDatagram) {
  std::string noise(5000, 'x');
  test::SeededRandom random(1);
  for (char& c : noise) c = static_cast<char>(random.Next());
  std::array<uint8_t, 1168> memory{};
  FrameWriter writer(memory);
  BatchBuilder builder;
  builder.Begin(1);
  ASSERT_TRUE(builder.Add(noise, writer.room()));
  EXPECT_EQ(builder.Put(writer), 0);
  EXPECT_EQ(writer.size(), 0u);
}

TEST(Batch, RefusesDataThatAreLongerThanTheySay) {
  Deflater deflater;
  const std::string zeros(60000, '\0');
  std::array<uint8_t, 1000> packed{};
  const size_t size = deflater.Deflate(AsBytes(zeros), packed);
  ASSERT_GT(size, 0u);
  BatchReader reader;
  EventsFrame frame{1, 1, Codec::kDeflate, 100, Bytes(packed).first(size)};
  EXPECT_FALSE(reader.Read(frame).has_value());
  frame.raw_length = 60000;  // inflates, but its lengths are zero
  EXPECT_FALSE(reader.Read(frame).has_value());
}

}  // namespace
}  // namespace ospatrol::secure::v2
