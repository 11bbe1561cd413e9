#include "analysisd/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <chrono>

#include "../temporary_directory.h"
#include "ipc/unix_socket.h"

namespace ospatrol::analysisd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ipc::SenderId kSender{1, 2, 3};

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() {
    std::filesystem::create_directories(home_ / "queue/ospatrol");
    Start();
  }

  void Start() {
    store_.emplace(home_, 1);
    intake_.emplace(loop_, *store_,
                    Intake::Hooks{[] { return true; },
                                  [this](const ipc::QueueMessage& message) {
                                    events_.push_back(std::string(message.location) + "|" +
                                                      std::string(message.text));
                                  },
                                  [this] { ++portions_; }});
    intake_->Bind(home_);
  }

  // As kill -9 and a new start.
  void Restart() {
    intake_.reset();
    store_.reset();
    Start();
  }

  void Commit() {
    std::string failure;
    ASSERT_TRUE(store_->Commit(failure)) << failure;
    intake_->AnswerTaken();
  }

  // Runs the loop until `done`, at most a minute.
  void RunUntil(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto tick = loop_.Every(std::chrono::milliseconds(1), [&] {
      if (done() || std::chrono::steady_clock::now() > end) loop_.Stop();
    });
    loop_.Run();
  }
  void RunFor(std::chrono::milliseconds time) {
    const auto tick = loop_.After(time, [this] { loop_.Stop(); });
    loop_.Run();
  }

  static void Submit(ipc::StreamSender& sender, uint64_t first, uint64_t last) {
    ipc::FrameBuilder builder;
    for (uint64_t i = first; i <= last; ++i) {
      ASSERT_TRUE(builder.Add(kSender, i, "1:/x:e" + std::to_string(i)));
    }
    sender.Submit(builder, last);
  }

  // Connected senders that live as long as the test.
  ipc::DatagramSender& Datagram() {
    EXPECT_TRUE(datagram_.Connect());
    return datagram_;
  }
  ipc::StreamSender& Stream() {
    EXPECT_TRUE(stream_.Connect());
    return stream_;
  }

  TemporaryDirectory directory_;
  Home home_{directory_.path()};
  ipc::DatagramSender datagram_{home_ / paths::kEventQueue};
  ipc::StreamSender stream_{home_ / paths::kEventStream};
  daemon::EventLoop loop_;
  std::optional<StateStore> store_;
  std::optional<Intake> intake_;
  std::vector<std::string> events_;
  int portions_ = 0;
};

TEST_F(IntakeTest, TakesDatagrams) {
  ipc::DatagramSender& sender = Datagram();
  sender.Send("1:/a:one", 0);
  sender.Send("1:(w) any->/b:two", 0);
  RunUntil([this] { return events_.size() == 2; });
  EXPECT_THAT(events_, ElementsAre("/a|one", "(w) any->/b|two"));
  EXPECT_EQ(intake_->counters().received, 2u);
}

TEST_F(IntakeTest, CountsMalformedAndCutDatagramsAndGoesOn) {
  ipc::DatagramSender& sender = Datagram();
  for (const char* bad : {"1:", "no separator", "1:../x:t"}) sender.Send(bad, 0);
  sender.Send("1:/a:good", 0);
  RunUntil([this] { return events_.size() == 1; });
  EXPECT_THAT(events_, ElementsAre("/a|good"));
  EXPECT_EQ(intake_->counters().malformed, 3u);
  EXPECT_EQ(intake_->counters().received, 4u);
}

TEST_F(IntakeTest, AnswersFramesOnlyAfterTheCommit) {
  ipc::StreamSender& sender = Stream();
  Submit(sender, 1, 2);
  Submit(sender, 3, 3);
  std::deque<uint64_t> answered;
  ASSERT_TRUE(sender.Pump(answered));
  RunUntil([this] { return events_.size() == 3; });
  EXPECT_THAT(events_, ElementsAre("/x|e1", "/x|e2", "/x|e3"));
  ASSERT_TRUE(sender.Pump(answered));
  EXPECT_THAT(answered, IsEmpty());
  Commit();
  ASSERT_TRUE(sender.Pump(answered));
  EXPECT_THAT(answered, ElementsAre(2, 3));
}

TEST_F(IntakeTest, SkipsEventsThatWereTakenBeforeAKill) {
  ipc::StreamSender& sender = Stream();
  Submit(sender, 1, 2);
  Submit(sender, 3, 4);
  std::deque<uint64_t> answered;
  ASSERT_TRUE(sender.Pump(answered));
  RunUntil([this] { return events_.size() == 4; });
  std::string failure;
  ASSERT_TRUE(store_->Commit(failure));  // killed between the commit and the answer
  Restart();
  sender.Pump(answered);
  ASSERT_TRUE(sender.Connect());
  Submit(sender, 5, 5);
  ASSERT_TRUE(sender.Pump(answered));
  RunUntil([this] { return intake_->counters().frames == 3; });
  EXPECT_THAT(events_, ElementsAre("/x|e1", "/x|e2", "/x|e3", "/x|e4", "/x|e5"));
  EXPECT_EQ(intake_->counters().repeated, 4u);
  Commit();
  ASSERT_TRUE(sender.Pump(answered));
  EXPECT_THAT(answered, ElementsAre(2, 4, 5));
}

TEST_F(IntakeTest, TakesEventsAgainThatWereNotCommittedBeforeAKill) {
  ipc::StreamSender& sender = Stream();
  Submit(sender, 1, 2);
  std::deque<uint64_t> answered;
  ASSERT_TRUE(sender.Pump(answered));
  RunUntil([this] { return events_.size() == 2; });
  Restart();
  sender.Pump(answered);
  ASSERT_TRUE(sender.Connect());
  ASSERT_TRUE(sender.Pump(answered));
  RunUntil([this] { return events_.size() == 4; });
  EXPECT_THAT(events_, ElementsAre("/x|e1", "/x|e2", "/x|e1", "/x|e2"));
}

TEST_F(IntakeTest, TakesOnlyTheNewPartOfAFrame) {
  ipc::StreamSender& sender = Stream();
  Submit(sender, 1, 2);
  Submit(sender, 2, 3);
  std::deque<uint64_t> answered;
  ASSERT_TRUE(sender.Pump(answered));
  RunUntil([this] { return events_.size() == 3; });
  EXPECT_THAT(events_, ElementsAre("/x|e1", "/x|e2", "/x|e3"));
  EXPECT_EQ(store_->LastNumber(kSender), 3u);
}

TEST_F(IntakeTest, ABadFrameClosesItsOwnConnectionOnly) {
  ipc::StreamSender good(home_ / paths::kEventStream), bad(home_ / paths::kEventStream);
  ASSERT_TRUE(good.Connect());
  ASSERT_TRUE(bad.Connect());
  ipc::FrameBuilder empty;
  bad.Submit(empty, 1);
  std::deque<uint64_t> answered;
  ASSERT_TRUE(bad.Pump(answered));
  RunUntil([this] { return intake_->counters().bad_frames == 1; });
  EXPECT_EQ(intake_->connections(), 1u);
  EXPECT_FALSE(bad.Pump(answered));
  Submit(good, 1, 1);
  ASSERT_TRUE(good.Pump(answered));
  RunUntil([this] { return events_.size() == 1; });
  EXPECT_THAT(events_, ElementsAre("/x|e1"));
}

TEST_F(IntakeTest, ReadsNothingWhilePausedAndEverythingAfterwards) {
  ipc::StreamSender stream(home_ / paths::kEventStream);
  ASSERT_TRUE(stream.Connect());
  ipc::DatagramSender queue(home_ / paths::kEventQueue);
  ASSERT_TRUE(queue.Connect());
  RunUntil([this] { return intake_->connections() == 1; });
  intake_->Pause();
  Submit(stream, 1, 1);
  std::deque<uint64_t> answered;
  ASSERT_TRUE(stream.Pump(answered));
  queue.Send("1:/q:datagram", 0);
  RunFor(std::chrono::milliseconds(50));
  EXPECT_THAT(events_, IsEmpty());
  intake_->Resume();
  RunUntil([this] { return events_.size() == 2; });
  EXPECT_THAT(events_, ::testing::UnorderedElementsAre("/x|e1", "/q|datagram"));
}

TEST_F(IntakeTest, DrainTakesWhatWaitsAtBothSockets) {
  ipc::StreamSender stream(home_ / paths::kEventStream);
  ASSERT_TRUE(stream.Connect());
  ipc::DatagramSender queue(home_ / paths::kEventQueue);
  ASSERT_TRUE(queue.Connect());
  RunUntil([this] { return intake_->connections() == 1; });
  for (uint64_t i = 1; i <= 8; ++i) Submit(stream, i, i);
  std::deque<uint64_t> answered;
  ASSERT_TRUE(stream.Pump(answered));
  for (int i = 0; i < 5; ++i) queue.Send("1:/q:datagram", 0);
  intake_->Drain(std::chrono::seconds(60));
  EXPECT_EQ(events_.size(), 13u);
}

TEST_F(IntakeTest, ForgetsClosedConnections) {
  {
    ipc::StreamSender sender(home_ / paths::kEventStream);
    ASSERT_TRUE(sender.Connect());
    RunUntil([this] { return intake_->connections() == 1; });
  }
  RunUntil([this] { return intake_->connections() == 0; });
  EXPECT_EQ(intake_->connections(), 0u);
}

// One program opens all connections that there are and uses none of them.
TEST_F(IntakeTest, ServesASenderWhenAnotherHoldsAllConnections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<base::Fd> held;
  while (intake_->connections() < 512) {
    held.push_back(ipc::ConnectUnixSocket(home_ / "queue/ospatrol/stream", SOCK_SEQPACKET));
    const size_t before = intake_->connections();
    RunUntil([&] { return intake_->connections() > before; });
    ASSERT_GT(intake_->connections(), before);
  }
  RunFor(std::chrono::milliseconds(1100));  // now they are idle
  ipc::StreamSender sender(home_ / "queue/ospatrol/stream");
  ASSERT_TRUE(sender.Connect());
  Submit(sender, 1, 3);
  std::deque<uint64_t> taken;
  ASSERT_TRUE(sender.Pump(taken));
  RunUntil([this] { return events_.size() == 3; });
  EXPECT_EQ(events_.size(), 3u);
  EXPECT_EQ(intake_->connections(), 512u);
}

}  // namespace
}  // namespace ospatrol::analysisd
