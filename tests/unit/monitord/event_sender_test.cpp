#include "monitord/event_sender.h"

#include <gmock/gmock.h>
#include <poll.h>

#include "../temporary_directory.h"

namespace ospatrol::monitord {
namespace {

using ::testing::ElementsAre;

class EventSenderTest : public ::testing::Test {
 protected:
  // Pumps until a frame has come, and answers it.
  ipc::Frame Receive(EventSender& sender, bool answer) {
    sender.Pump();
    if (!peer_) peer_.emplace(listener_.Accept());
    ipc::Frame frame;
    std::string reason;
    pollfd waiting{peer_->fd(), POLLIN, 0};
    ::poll(&waiting, 1, 5000);
    EXPECT_EQ(peer_->Receive(buffer_, frame, reason), ipc::StreamPeer::Status::kFrame) << reason;
    if (answer) {
      peer_->Answer(frame.number);
      waiting.fd = sender.fd();
      ::poll(&waiting, 1, 5000);
      sender.Pump();
    }
    return frame;
  }

  TemporaryDirectory directory_;
  ipc::StreamListener listener_{directory_.path() / "stream", 0600};
  std::optional<ipc::StreamPeer> peer_;
  std::string buffer_;
  int taken_ = 0;
};

TEST_F(EventSenderTest, SaysWhenEverythingIsTaken) {
  EventSender sender(directory_.path() / "stream", [this] { ++taken_; });
  sender.Send({"1:a:one", "1:a:two"});
  EXPECT_FALSE(sender.idle());
  const ipc::Frame frame = Receive(sender, true);
  ASSERT_EQ(frame.groups.size(), 1U);
  EXPECT_EQ(frame.groups[0].first, 1U);
  EXPECT_THAT(frame.groups[0].events, ElementsAre("1:a:one", "1:a:two"));
  EXPECT_EQ(taken_, 1);
  EXPECT_TRUE(sender.idle());
}

TEST_F(EventSenderTest, SendsAgainUnderTheSameNumbersAfterARestart) {
  std::string saved;
  ipc::SenderId id{};
  {
    EventSender sender(directory_.path() / "stream", [this] { ++taken_; });
    sender.Send({"1:a:one"});
    Receive(sender, true);
    sender.Send({"1:a:two"});
    saved = sender.Save();
    id = Receive(sender, false).groups[0].sender;
  }
  peer_.reset();
  EventSender sender(directory_.path() / "stream", [this] { ++taken_; });
  sender.Restore(saved + "a 17 web01-any\n");
  EXPECT_FALSE(sender.idle());
  const ipc::Frame frame = Receive(sender, true);
  EXPECT_EQ(frame.groups[0].sender, id);
  EXPECT_EQ(frame.groups[0].first, 2U);
  EXPECT_THAT(frame.groups[0].events, ElementsAre("1:a:two"));
  EXPECT_EQ(taken_, 2);
}

}  // namespace
}  // namespace ospatrol::monitord
