#include "ipc/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "../temporary_directory.h"
#include "base/error.h"
#include "ipc/queue_message.h"

namespace ospatrol::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const SenderId kSender{1, 2, 3};

// What a receiver took, event by event.
struct Taken {
  uint64_t frame = 0;
  uint64_t event = 0;
  std::string text;
  bool operator==(const Taken&) const = default;
};

class Stream : public ::testing::Test {
 protected:
  void Listen() { listener_ = std::make_unique<StreamListener>(path_, 0660); }
  std::unique_ptr<StreamPeer> Accept() {
    base::Fd fd = listener_->Accept();
    return fd ? std::make_unique<StreamPeer>(std::move(fd)) : nullptr;
  }

  static void Submit(StreamSender& sender, uint64_t event, std::string_view text) {
    FrameBuilder builder;
    ASSERT_TRUE(builder.Add(kSender, event, text));
    sender.Submit(builder, event * 10);
  }

  // Everything that waits on the connection.
  static std::vector<Taken> Drain(StreamPeer& peer, StreamPeer::Status end) {
    std::vector<Taken> taken;
    std::string buffer, reason;
    Frame frame;
    StreamPeer::Status status;
    while ((status = peer.Receive(buffer, frame, reason)) == StreamPeer::Status::kFrame) {
      for (const Group& group : frame.groups) {
        uint64_t number = group.first;
        for (const std::string_view text : group.events) {
          taken.push_back({frame.number, number++, std::string(text)});
        }
      }
    }
    EXPECT_EQ(status, end) << reason;
    return taken;
  }

  // A connection that says what it wants.
  base::Fd RawConnect() {
    base::Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  const TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "stream";
  std::unique_ptr<StreamListener> listener_;
};

TEST_F(Stream, CarriesFramesAndCumulativeAnswers) {
  Listen();
  StreamSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  auto peer = Accept();
  ASSERT_TRUE(peer);
  for (uint64_t i = 1; i <= 3; ++i) Submit(sender, i, "1:/x:e");
  std::deque<uint64_t> taken;
  ASSERT_TRUE(sender.Pump(taken));
  EXPECT_FALSE(sender.WantsWrite());
  EXPECT_EQ(Drain(*peer, StreamPeer::Status::kEmpty).size(), 3u);
  ASSERT_TRUE(peer->Answer(2));
  ASSERT_TRUE(sender.Pump(taken));
  EXPECT_THAT(taken, ElementsAre(10, 20));
  EXPECT_EQ(sender.unanswered(), 1u);
  ASSERT_TRUE(peer->Answer(3));
  ASSERT_TRUE(sender.Pump(taken));
  EXPECT_THAT(taken, ElementsAre(10, 20, 30));
}

TEST_F(Stream, AcceptGivesNothingWhenNobodyWaits) {
  Listen();
  EXPECT_FALSE(listener_->Accept().IsOpen());
}

TEST_F(Stream, SenderCannotConnectWithoutAReceiver) {
  StreamSender sender(path_);
  EXPECT_FALSE(sender.Connect());
  EXPECT_EQ(errno, ENOENT);
  std::deque<uint64_t> taken;
  EXPECT_FALSE(sender.Pump(taken));
}

TEST_F(Stream, KeepsAtMostEightFramesUnanswered) {
  Listen();
  StreamSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  for (uint64_t i = 1; i <= 8; ++i) {
    ASSERT_TRUE(sender.CanAccept());
    Submit(sender, i, "1:/x:e");
  }
  EXPECT_FALSE(sender.CanAccept());
  std::deque<uint64_t> taken;
  ASSERT_TRUE(sender.Pump(taken));
  EXPECT_FALSE(sender.CanAccept());
  auto peer = Accept();
  Drain(*peer, StreamPeer::Status::kEmpty);
  ASSERT_TRUE(peer->Answer(1));
  ASSERT_TRUE(sender.Pump(taken));
  EXPECT_TRUE(sender.CanAccept());
}

TEST_F(Stream, CarriesFramesOfTheLargestSize) {
  Listen();
  StreamSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  auto peer = Accept();
  const std::string text = "1:/x:" + std::string(65500, 'a');
  uint64_t event = 1;
  for (size_t i = 0; i < StreamSender::kMaxUnanswered; ++i) {
    FrameBuilder builder;
    while (builder.Add(kSender, event, text)) ++event;
    sender.Submit(builder, i);
  }
  std::deque<uint64_t> taken;
  size_t received = 0;
  for (int round = 0; round < 100 && taken.size() < StreamSender::kMaxUnanswered; ++round) {
    ASSERT_TRUE(sender.Pump(taken));
    const auto events = Drain(*peer, StreamPeer::Status::kEmpty);
    received += events.size();
    if (events.empty()) continue;
    ASSERT_TRUE(peer->Answer(events.back().frame));
  }
  EXPECT_EQ(taken.size(), StreamSender::kMaxUnanswered);
  EXPECT_EQ(received, event - 1);
}

TEST_F(Stream, SendsUnansweredFramesAgainInOrderUnderNewNumbersAfterAKill) {
  Listen();
  StreamSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  auto peer = Accept();
  for (uint64_t i = 1; i <= 5; ++i) Submit(sender, i, "1:/x:e" + std::to_string(i));
  std::deque<uint64_t> taken;
  ASSERT_TRUE(sender.Pump(taken));
  std::string buffer, reason;
  Frame frame;
  ASSERT_EQ(peer->Receive(buffer, frame, reason), StreamPeer::Status::kFrame);
  ASSERT_EQ(peer->Receive(buffer, frame, reason), StreamPeer::Status::kFrame);
  ASSERT_TRUE(peer->Answer(1));
  peer.reset();  // killed with one frame judged but not answered and three unread
  listener_.reset();

  EXPECT_FALSE(sender.Pump(taken));
  EXPECT_FALSE(sender.IsConnected());
  EXPECT_FALSE(sender.Connect());
  Submit(sender, 6, "1:/x:e6");  // goes on collecting
  Listen();
  ASSERT_TRUE(sender.Connect());
  peer = Accept();
  ASSERT_TRUE(sender.Pump(taken));
  const auto again = Drain(*peer, StreamPeer::Status::kEmpty);
  // The kernel may have thrown away the answer together with the unread frames.
  const uint64_t first = taken.empty() ? 1 : 2;
  ASSERT_EQ(again.size(), 6 - first + 1);
  for (size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].frame, i + 1);
    EXPECT_EQ(again[i].event, first + i);
    EXPECT_EQ(again[i].text, "1:/x:e" + std::to_string(first + i));
  }
  ASSERT_TRUE(peer->Answer(again.back().frame));
  ASSERT_TRUE(sender.Pump(taken));
  EXPECT_THAT(taken, ElementsAre(10, 20, 30, 40, 50, 60));
  EXPECT_EQ(sender.unanswered(), 0u);
}

TEST_F(Stream, AnswersThatArrivedBeforeTheEndCount) {
  Listen();
  StreamSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  auto peer = Accept();
  Submit(sender, 1, "1:/x:e");
  std::deque<uint64_t> taken;
  ASSERT_TRUE(sender.Pump(taken));
  Drain(*peer, StreamPeer::Status::kEmpty);
  ASSERT_TRUE(peer->Answer(1));
  peer.reset();
  Submit(sender, 2, "1:/x:e");
  EXPECT_FALSE(sender.Pump(taken));
  EXPECT_THAT(taken, ElementsAre(10));
  EXPECT_EQ(sender.unanswered(), 1u);
}

TEST_F(Stream, ReceiverSeesTheEndOfASenderAfterItsLastFrame) {
  Listen();
  auto sender = std::make_unique<StreamSender>(path_);
  ASSERT_TRUE(sender->Connect());
  auto peer = Accept();
  Submit(*sender, 1, "1:/x:last");
  std::deque<uint64_t> taken;
  ASSERT_TRUE(sender->Pump(taken));
  sender.reset();
  EXPECT_THAT(Drain(*peer, StreamPeer::Status::kClosed), ElementsAre(Taken{1, 1, "1:/x:last"}));
  EXPECT_FALSE(peer->Answer(1));
}

TEST_F(Stream, BadFrameIsReportedOnItsOwnConnectionOnly) {
  Listen();
  StreamSender good(path_);
  ASSERT_TRUE(good.Connect());
  auto good_peer = Accept();
  const base::Fd bad = RawConnect();
  auto bad_peer = Accept();
  ASSERT_EQ(::send(bad.get(), "garbage", 7, 0), 7);
  Submit(good, 1, "1:/x:e");
  std::deque<uint64_t> taken;
  ASSERT_TRUE(good.Pump(taken));
  std::string buffer, reason;
  Frame frame;
  EXPECT_EQ(bad_peer->Receive(buffer, frame, reason), StreamPeer::Status::kBad);
  EXPECT_THAT(reason, HasSubstr("version"));
  EXPECT_EQ(Drain(*good_peer, StreamPeer::Status::kEmpty).size(), 1u);
}

TEST_F(Stream, FrameOutOfSequenceIsBad) {
  Listen();
  const base::Fd raw = RawConnect();
  auto peer = Accept();
  FrameBuilder builder;
  ASSERT_TRUE(builder.Add(kSender, 1, "1:/x:e"));
  const std::string bytes(builder.Finish(2));
  ASSERT_EQ(::send(raw.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  std::string buffer, reason;
  Frame frame;
  EXPECT_EQ(peer->Receive(buffer, frame, reason), StreamPeer::Status::kBad);
  EXPECT_EQ(reason, "number 2, expected 1");
}

TEST_F(Stream, FrameAboveTheLimitIsBadAndNeverCopied) {
  Listen();
  const base::Fd raw = RawConnect();
  auto peer = Accept();
  const std::string bytes(kMaxFrame + 1, '\1');
  ASSERT_EQ(::send(raw.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  std::string buffer, reason;
  Frame frame;
  EXPECT_EQ(peer->Receive(buffer, frame, reason), StreamPeer::Status::kBad);
  EXPECT_THAT(reason, HasSubstr("131073 bytes"));
  EXPECT_TRUE(buffer.empty());
}

TEST_F(Stream, SenderDropsAReceiverThatAnswersInAnotherLanguage) {
  Listen();
  StreamSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  const base::Fd peer = listener_->Accept();
  ASSERT_EQ(::send(peer.get(), "ok", 2, 0), 2);
  std::deque<uint64_t> taken;
  EXPECT_FALSE(sender.Pump(taken));
  EXPECT_FALSE(sender.IsConnected());
}

TEST_F(Stream, AnswerForFramesNeverSentTakesNothing) {
  Listen();
  StreamSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  auto peer = Accept();
  ASSERT_TRUE(peer->Answer(99));
  std::deque<uint64_t> taken;
  Submit(sender, 1, "1:/x:e");
  ASSERT_TRUE(sender.Pump(taken));
  sender.Pump(taken);
  EXPECT_LE(taken.size(), 1u);
  EXPECT_FALSE(sender.WantsWrite());
}

TEST_F(Stream, ListenerNamesPathAndReasonWhenItCannotBind) {
  EXPECT_THROW(StreamListener(directory_ / "missing" / "stream", 0660), Error);
}

}  // namespace
}  // namespace ospatrol::ipc
