#include "agentd/local_intake.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string>

#include "../temporary_directory.h"
#include "base/files.h"
#include "ipc/unix_socket.h"

namespace ospatrol::agentd {
namespace {

using std::chrono::milliseconds;

class LocalIntakeTest : public ::testing::Test {
 protected:
  LocalIntakeTest() : home_(directory_.path()) {
    base::MakeDirectories(home_ / "queue/ospatrol", 0750);
    base::MakeDirectories(home_ / "queue/spool", 0750);
    spool_ = std::make_unique<Spool>(home_ / "queue/spool", Spool::LimitsOf(0, false), 1);
    intake_ = std::make_unique<LocalIntake>(
        loop_, *spool_,
        LocalIntake::Hooks{.stored = [this](bool urgent) { urgent_ = urgent_ || urgent; },
                           .refused = [this](Spool::Outcome) { ++refusals_; }});
    intake_->Bind(home_);
  }

  // Runs the loop until `done`; false when that does not come.
  bool RunUntil(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto tick = loop_.Every(milliseconds(1), [&] {
      if (done() || std::chrono::steady_clock::now() > end) loop_.Stop();
    });
    loop_.Run();
    return done();
  }
  // The same, with the answers that come meanwhile.
  bool PumpUntilTaken(ipc::StreamSender& sender, std::deque<uint64_t>& taken, size_t count) {
    return RunUntil([&] {
      sender.Pump(taken);
      return taken.size() >= count;
    });
  }
  std::vector<std::string> Events() {
    std::vector<std::string> events;
    uint64_t number = 1;
    while (const auto event = spool_->Read(number)) {
      events.emplace_back(event->message);
      number = event->number + 1;
    }
    return events;
  }
  static ipc::FrameBuilder Frame(uint64_t first, std::initializer_list<std::string_view> events) {
    ipc::FrameBuilder builder;
    for (const std::string_view event : events) builder.Add(ipc::SenderId{1}, first++, event);
    return builder;
  }

  TemporaryDirectory directory_;
  Home home_;
  daemon::EventLoop loop_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<LocalIntake> intake_;
  bool urgent_ = false;
  int refusals_ = 0;
};

TEST_F(LocalIntakeTest, AnswersAFrameOnceItIsInTheSpool) {
  ipc::StreamSender sender(home_ / "queue/ospatrol/stream");
  ASSERT_TRUE(sender.Connect());
  auto frame = Frame(1, {"1:a:one", "8:syscheck:two"});
  sender.Submit(frame, 7);
  std::deque<uint64_t> taken;
  ASSERT_TRUE(sender.Pump(taken));
  ASSERT_TRUE(PumpUntilTaken(sender, taken, 1));
  EXPECT_EQ(taken, std::deque<uint64_t>{7});
  EXPECT_EQ(Events(), (std::vector<std::string>{"1:a:one", "8:syscheck:two"}));
  EXPECT_TRUE(urgent_);
  EXPECT_FALSE(spool_->IsDirty()) << "on the disk before the answer";
}

TEST_F(LocalIntakeTest, TakesAFrameThatComesAgainOnlyOnce) {
  for (int i = 0; i < 2; ++i) {
    ipc::StreamSender sender(home_ / "queue/ospatrol/stream");
    ASSERT_TRUE(sender.Connect());
    auto frame = Frame(1, {"1:a:one", "1:a:two"});
    sender.Submit(frame, 1);
    if (i == 1) {
      auto more = Frame(2, {"1:a:two", "1:a:three"});
      sender.Submit(more, 2);
    }
    std::deque<uint64_t> taken;
    ASSERT_TRUE(sender.Pump(taken));
    EXPECT_TRUE(PumpUntilTaken(sender, taken, static_cast<size_t>(i) + 1));
  }
  EXPECT_EQ(Events(), (std::vector<std::string>{"1:a:one", "1:a:two", "1:a:three"}));
}

TEST_F(LocalIntakeTest, TakesDatagramsAndDropsWhatIsNoEvent) {
  ipc::DatagramSender sender(home_ / "queue/ospatrol/queue");
  ASSERT_TRUE(sender.Connect());
  for (const std::string_view event : {"1:a:one", "x", "nonsense", "", "1:a:two"}) {
    EXPECT_EQ(sender.Send(event, 100), ipc::DatagramSender::Status::kSent);
  }
  EXPECT_TRUE(RunUntil([this] { return Events().size() == 2 && intake_->malformed() == 3; }));
  EXPECT_EQ(Events(), (std::vector<std::string>{"1:a:one", "1:a:two"}));
  EXPECT_EQ(intake_->malformed(), 3u);
}

TEST_F(LocalIntakeTest, ClosesAConnectionThatSendsABadFrame) {
  const base::Fd fd = ipc::ConnectUnixSocket(home_ / "queue/ospatrol/stream", SOCK_SEQPACKET);
  ASSERT_TRUE(fd);
  ASSERT_GT(::send(fd.get(), "garbage", 7, 0), 0);
  char byte = 0;
  EXPECT_TRUE(RunUntil([&] { return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 0; }));
  EXPECT_EQ(intake_->connections(), 0u);
}

TEST_F(LocalIntakeTest, StopsReadingWhileTheSpoolIsFullAndLosesNothing) {
  spool_->SetLimits({.bytes = 4096, .segment = 1024, .drop_oldest = false});
  ipc::StreamSender stream(home_ / "queue/ospatrol/stream");
  ipc::DatagramSender queue(home_ / "queue/ospatrol/queue");
  ASSERT_TRUE(stream.Connect());
  ASSERT_TRUE(queue.Connect());
  const std::string line = "1:a:" + std::string(600, 'x');
  std::deque<uint64_t> taken;
  uint64_t number = 1;
  for (int i = 0; i < 8; ++i) {
    auto frame = Frame(number++, {line + std::to_string(i)});
    stream.Submit(frame, static_cast<uint64_t>(i));
  }
  stream.Pump(taken);
  for (int i = 0; i < 8; ++i) queue.Send(line + std::to_string(i), 10);
  EXPECT_TRUE(RunUntil([this] { return intake_->paused() && refusals_ > 0; }));
  EXPECT_EQ(refusals_, 1);
  stream.Pump(taken);
  EXPECT_LT(taken.size(), 8u);
  spool_->SetLimits(Spool::LimitsOf(0, false));
  intake_->Resume();
  EXPECT_TRUE(PumpUntilTaken(stream, taken, 8));
  EXPECT_TRUE(RunUntil([this] { return Events().size() == 16; }));
  EXPECT_FALSE(intake_->paused());
  EXPECT_EQ(taken.size(), 8u);
  EXPECT_EQ(Events().size(), 16u);
}

}  // namespace
}  // namespace ospatrol::agentd
