#include "remoted/outlet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <condition_variable>
#include <optional>
#include <thread>

#include "../temporary_directory.h"
#include "remoted/version2.h"
#include "secure/keys_file.h"

namespace ospatrol::remoted {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr ipc::SenderId kSpool{1, 2, 3};

// analysisd's end: takes frames, answers when told to.
class Analysis {
 public:
  explicit Analysis(const std::filesystem::path& path) : listener_(path, 0600) {}

  // Waits for the next frame; its events, "" when none comes.
  std::vector<std::string> Next(milliseconds limit = seconds(60)) {
    std::vector<std::string> events;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < deadline) {
      if (!peer_) {
        base::Fd fd = listener_.Accept();
        if (fd) peer_.emplace(std::move(fd));
      }
      if (peer_) {
        const auto status = peer_->Receive(buffer_, frame_, reason_);
        if (status == ipc::StreamPeer::Status::kFrame) {
          for (const auto& group : frame_.groups) {
            for (const auto event : group.events) events.emplace_back(event);
            senders.push_back(group.sender);
            firsts.push_back(group.first);
          }
          last_ = frame_.number;
          return events;
        }
        if (status != ipc::StreamPeer::Status::kEmpty) peer_.reset();
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
    return events;
  }
  void Answer() { peer_->Answer(last_); }
  void HangUp() { peer_.reset(); }

  std::vector<ipc::SenderId> senders;
  std::vector<uint64_t> firsts;

 private:
  ipc::StreamListener listener_;
  std::optional<ipc::StreamPeer> peer_;
  std::string buffer_, reason_;
  ipc::Frame frame_;
  uint64_t last_ = 0;
};

class OutletTest : public testing::Test {
 protected:
  OutletTest()
      : agent_(std::make_shared<Agent>(
            *secure::MakeAgentKey("001", "web01", "any", std::string(64, 'a')), nullptr)) {}

  Outlet& Make(size_t most_bytes = size_t{1} << 20) {
    Outlet::Options options{.stream = directory_ / "stream",
                            .queue = directory_ / "queue",
                            .most_bytes = most_bytes,
                            .stream_grace = milliseconds(50)};
    outlet_ = std::make_unique<Outlet>(std::move(options), [this](std::vector<Outlet::Taken> t) {
      const std::scoped_lock lock(mutex_);
      for (const auto& taken : t) taken_.push_back(taken.last);
      changed_.notify_all();
    });
    return *outlet_;
  }
  std::vector<uint64_t> WaitForTaken(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(60), [&] { return taken_.size() >= count; });
    return taken_;
  }
  bool Offer(std::string_view event) {
    const std::string_view events[] = {event};
    return outlet_->Offer(events) == 1;
  }
  bool OfferNumbered(std::span<const Outlet::Numbered> events, uint64_t last) {
    const bool taken = outlet_->OfferNumbered(kSpool, events, last, agent_);
    outlet_->Flush();
    return taken;
  }
  bool OfferNumbered(uint64_t number, std::string_view event, uint64_t last) {
    const Outlet::Numbered events[] = {{number, event}};
    return OfferNumbered(events, last);
  }

  TemporaryDirectory directory_;
  AgentPtr agent_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<uint64_t> taken_;
  std::unique_ptr<Outlet> outlet_;
};

TEST_F(OutletTest, HandsEventsOverInOrderUnderOneName) {
  Analysis analysis(directory_ / "stream");
  Make().Start();
  EXPECT_TRUE(Offer("1:a:one"));
  EXPECT_THAT(analysis.Next(), ElementsAre("1:a:one"));
  analysis.Answer();
  EXPECT_TRUE(Offer("1:a:two"));
  EXPECT_THAT(analysis.Next(), ElementsAre("1:a:two"));
  EXPECT_EQ(analysis.senders[0], analysis.senders[1]);
  EXPECT_THAT(analysis.firsts, ElementsAre(1, 2));
}

TEST_F(OutletTest, TellsNumbersOnlyAfterTheAnswer) {
  Analysis analysis(directory_ / "stream");
  Make().Start();
  EXPECT_TRUE(OfferNumbered(7, "1:a:seven", 9));
  EXPECT_THAT(analysis.Next(), ElementsAre("1:a:seven"));
  EXPECT_EQ(analysis.senders[0], kSpool);
  EXPECT_THAT(analysis.firsts, ElementsAre(7));
  std::this_thread::sleep_for(milliseconds(50));
  {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(taken_.empty());
  }
  analysis.Answer();
  EXPECT_THAT(WaitForTaken(1), ElementsAre(9));
}

TEST_F(OutletTest, CountsEventsThatNobodyWantsAsTakenWithThoseBefore) {
  Analysis analysis(directory_ / "stream");
  Make().Start();
  EXPECT_TRUE(OfferNumbered({}, 3));
  EXPECT_THAT(WaitForTaken(1), ElementsAre(3));
  EXPECT_TRUE(OfferNumbered(4, "1:a:four", 4));
  EXPECT_THAT(analysis.Next(), ElementsAre("1:a:four"));
  EXPECT_TRUE(OfferNumbered({}, 6));
  std::this_thread::sleep_for(milliseconds(50));
  analysis.Answer();
  EXPECT_THAT(WaitForTaken(3), ElementsAre(3, 4, 6));
}

TEST_F(OutletTest, SendsWhatHasNoAnswerAgainAfterAReconnect) {
  Analysis analysis(directory_ / "stream");
  Make().Start();
  EXPECT_TRUE(OfferNumbered(1, "1:a:one", 1));
  EXPECT_THAT(analysis.Next(), ElementsAre("1:a:one"));
  analysis.HangUp();
  EXPECT_THAT(analysis.Next(), ElementsAre("1:a:one"));
  EXPECT_THAT(analysis.firsts, ElementsAre(1, 1));
  analysis.Answer();
  EXPECT_THAT(WaitForTaken(1), ElementsAre(1));
}

TEST_F(OutletTest, SaysNoWhenItIsFullAndWaitsForNobody) {
  Make(10'000);
  const std::string event = "1:a:" + std::string(996, 'x');
  int taken = 0;
  while (taken < 100 && Offer(event)) ++taken;
  EXPECT_EQ(taken, 10);
  EXPECT_FALSE(OfferNumbered(1, event, 1));
  EXPECT_FALSE(outlet_->HasRoom());
}

TEST_F(OutletTest, TakesTheFirstOfABatchThatDoesNotFit) {
  Make(2'500);
  const std::string event(1'000, 'x');
  const std::vector<std::string_view> batch(5, event);
  EXPECT_EQ(outlet_->Offer(batch), 2U);
}

TEST_F(OutletTest, MakesFullFramesUnderLoad) {
  Analysis analysis(directory_ / "stream");
  Make(size_t{8} << 20);
  const std::string event = "1:a:" + std::string(196, 'x');
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(Offer(event));
  outlet_->Start();
  size_t events = 0, frames = 0;
  while (events < 10'000) {
    const auto frame = analysis.Next();
    ASSERT_FALSE(frame.empty());
    events += frame.size();
    ++frames;
    analysis.Answer();
  }
  EXPECT_LE(frames, 18U);
}

TEST_F(OutletTest, UsesTheDatagramQueueWhereThereIsNoStream) {
  ipc::DatagramReceiver queue(directory_ / "queue", 0600);
  Make().Start();
  EXPECT_TRUE(OfferNumbered(1, "1:[001] (web01) any->/x:t", 1));
  EXPECT_THAT(WaitForTaken(1), ElementsAre(1));
  const auto datagrams = queue.Receive();
  ASSERT_EQ(datagrams.size(), 1U);
  EXPECT_EQ(datagrams[0].bytes, "1:(web01) any->/x:t");
}

TEST_F(OutletTest, SendsTheRestAtItsEnd) {
  Analysis analysis(directory_ / "stream");
  Make().Start();
  EXPECT_TRUE(Offer("1:a:last"));
  std::thread receiver([&] {
    EXPECT_THAT(analysis.Next(), ElementsAre("1:a:last"));
    analysis.Answer();
  });
  outlet_->Stop(seconds(60));
  receiver.join();
  EXPECT_EQ(outlet_->events_taken(), 1U);
}

}  // namespace
}  // namespace ospatrol::remoted
