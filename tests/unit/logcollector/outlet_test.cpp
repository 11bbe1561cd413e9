#include "logcollector/outlet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collector.h"
#include "files.h"

namespace ospatrol::logcollector {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// The receiving ends, as analysisd has them.
class OutletTest : public testing::Test {
 protected:
  OutletTest()
      : outlet_({directory_ / "stream", directory_ / "queue", directory_ / ".wait"}),
        collector_(directory_ / "state.db") {
    Write(log_, "");
    collector_.Configure({Collector::Section(log_)});
  }

  void Listen() { listener_.emplace(directory_ / "stream", 0600); }
  void Accept() { peer_.emplace(listener_->Accept()); }

  // Reads and sends what there is.
  void Run() {
    collector_.sources.Poll(collector_.now);
    for (int i = 0; i < 1000; ++i) {
      collector_.notices->OfferTo(outlet_);
      collector_.sources.Service(outlet_, collector_.now);
      outlet_.Flush();
      outlet_.Pump();
      if (!collector_.sources.HasWork()) return;
    }
  }

  // Takes the frames that are there; answers them unless told not to.
  std::vector<std::string> Receive(bool answer = true) {
    std::vector<std::string> texts;
    std::string buffer, reason;
    ipc::Frame frame;
    while (peer_->Receive(buffer, frame, reason) == ipc::StreamPeer::Status::kFrame) {
      ++frames_;
      for (const ipc::Group& group : frame.groups) {
        for (const std::string_view event : group.events) {
          texts.emplace_back(event.substr(event.find(':', 2) + 1));
        }
      }
      if (answer) peer_->Answer(frame.number);
    }
    return texts;
  }

  std::vector<std::string> ReceiveDatagrams(ipc::DatagramReceiver& receiver) {
    std::vector<std::string> texts;
    for (auto received = receiver.Receive(); !received.empty(); received = receiver.Receive()) {
      for (const auto& datagram : received) {
        texts.emplace_back(datagram.bytes.substr(datagram.bytes.find(':', 2) + 1));
      }
    }
    return texts;
  }

  TemporaryDirectory directory_;
  std::filesystem::path log_ = directory_ / "app.log";
  Outlet outlet_;
  Collector collector_;
  std::optional<ipc::StreamListener> listener_;
  std::optional<ipc::StreamPeer> peer_;
  size_t frames_ = 0;
};

TEST_F(OutletTest, SendsAFrameAndAdvancesWithItsAnswer) {
  Listen();
  ASSERT_TRUE(outlet_.Connect(collector_.now));
  Accept();
  Append(log_, "one\ntwo\n");
  Run();
  EXPECT_FALSE(outlet_.IsEmpty());
  collector_.Wait(seconds(1));
  EXPECT_EQ(collector_.store.FindByPath(log_.native())[0].position.offset, 0u);

  EXPECT_THAT(Receive(), ElementsAre("one", "two"));
  EXPECT_TRUE(outlet_.Pump());
  EXPECT_TRUE(outlet_.IsEmpty());
  collector_.Wait(seconds(1));
  const StoredFile row = collector_.store.FindByPath(log_.native())[0];
  EXPECT_EQ(row.position.offset, 8u);
  EXPECT_EQ(row.position.number, 2u);
}

TEST_F(OutletTest, StopsReadingAfterEightUnansweredFrames) {
  Listen();
  ASSERT_TRUE(outlet_.Connect(collector_.now));
  Accept();
  std::string lines;
  for (int i = 0; i < 40'000; ++i) lines += std::string(60, 'x') + "\n";
  Append(log_, lines);
  collector_.sources.Poll(collector_.now);
  while (collector_.sources.Service(outlet_, collector_.now) && collector_.sources.HasWork()) {
  }
  outlet_.Pump();
  EXPECT_EQ(outlet_.unanswered(), 8u);
  size_t events = 0;
  for (int i = 0; i < 100 && events < 40'000; ++i) {
    events += Receive().size();
    outlet_.Pump();
    Run();
  }
  EXPECT_EQ(events, 40'000u);
}

TEST_F(OutletTest, SendsUnansweredFramesAgainAfterAReconnect) {
  Listen();
  ASSERT_TRUE(outlet_.Connect(collector_.now));
  Accept();
  Append(log_, "one\n");
  Run();
  EXPECT_THAT(Receive(false), ElementsAre("one"));
  peer_.reset();
  listener_.reset();
  EXPECT_FALSE(outlet_.Pump());
  EXPECT_EQ(outlet_.mode(), Outlet::Mode::kNone);
  EXPECT_FALSE(outlet_.Connect(collector_.now));

  Listen();
  ASSERT_TRUE(outlet_.Connect(collector_.now));
  Accept();
  Append(log_, "two\n");
  Run();
  EXPECT_THAT(Receive(), ElementsAre("one", "two"));
}

TEST_F(OutletTest, UsesTheDatagramQueueOnlyWhenThereIsNoStreamForAWhile) {
  ipc::DatagramReceiver receiver(directory_ / "queue", 0600);
  EXPECT_FALSE(outlet_.Connect(collector_.now));
  EXPECT_FALSE(outlet_.Connect(collector_.now + seconds(2)));
  ASSERT_TRUE(outlet_.Connect(collector_.now + seconds(4)));
  EXPECT_EQ(outlet_.mode(), Outlet::Mode::kDatagram);
  Append(log_, "one\n");
  Run();
  EXPECT_THAT(ReceiveDatagrams(receiver), ElementsAre("one"));
  collector_.Wait(seconds(1));
  EXPECT_EQ(collector_.store.FindByPath(log_.native())[0].position.offset, 4u);

  Listen();
  ASSERT_TRUE(outlet_.Connect(collector_.now + seconds(5)));
  EXPECT_EQ(outlet_.mode(), Outlet::Mode::kStream);
  Accept();
  Append(log_, "two\n");
  Run();
  EXPECT_THAT(Receive(), ElementsAre("two"));
}

TEST_F(OutletTest, SendsUnansweredEventsOverTheQueueWhenTheStreamIsGoneForGood) {
  Listen();
  ASSERT_TRUE(outlet_.Connect(collector_.now));
  Accept();
  Append(log_, "one\n");
  Run();
  peer_.reset();
  listener_.reset();
  std::filesystem::remove(directory_ / "stream");
  EXPECT_FALSE(outlet_.Pump());
  ipc::DatagramReceiver receiver(directory_ / "queue", 0600);
  EXPECT_FALSE(outlet_.Connect(collector_.now));
  ASSERT_TRUE(outlet_.Connect(collector_.now + seconds(4)));
  Append(log_, "two\n");
  Run();
  EXPECT_THAT(ReceiveDatagrams(receiver), ElementsAre("one", "two"));
}

TEST_F(OutletTest, KeepsEventsThatAFullDatagramQueueRefused) {
  ipc::DatagramReceiver receiver(directory_ / "queue", 0600);
  outlet_.Connect(collector_.now);
  ASSERT_TRUE(outlet_.Connect(collector_.now + seconds(4)));
  std::string lines;
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    expected.push_back("line " + std::to_string(i));
    lines += expected.back() + "\n";
  }
  Append(log_, lines);
  collector_.sources.Poll(collector_.now);
  std::vector<std::string> received;
  for (int i = 0; i < 2000 && received.size() < expected.size(); ++i) {
    collector_.sources.Service(outlet_, collector_.now);
    for (std::string& text : ReceiveDatagrams(receiver)) received.push_back(std::move(text));
  }
  EXPECT_EQ(received, expected);
}

TEST_F(OutletTest, WaitsForALivingLockAndIgnoresADeadOne) {
  ipc::DatagramReceiver receiver(directory_ / "queue", 0600);
  Write(directory_ / ".wait", std::to_string(::getpid()) + "\n");
  outlet_.Connect(collector_.now);
  ASSERT_TRUE(outlet_.Connect(collector_.now + seconds(4)));
  Append(log_, "one\n");
  collector_.sources.Poll(collector_.now);
  EXPECT_FALSE(collector_.sources.Service(outlet_, collector_.now));
  EXPECT_THAT(ReceiveDatagrams(receiver), IsEmpty());

  Write(directory_ / ".wait", "2147483646\n");
  ::usleep(1'100'000);  // the lock is looked at once a second
  Run();
  EXPECT_THAT(ReceiveDatagrams(receiver), ElementsAre("one"));
}

}  // namespace
}  // namespace ospatrol::logcollector
