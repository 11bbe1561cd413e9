#include "secure/counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <thread>

#include "../temporary_directory.h"
#include "base/error.h"
#include "base/files.h"

namespace ospatrol::secure {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Verdict = ReplayWindow::Verdict;

void WriteFile(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path) << text;
}

class SenderCounterTest : public testing::Test {
 protected:
  Counter Stored() const { return Counter::Parse(base::ReadFile(file_)).value(); }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_ / "sender_counter";
};

TEST_F(SenderCounterTest, StartsAtTheUnixTimeWhenTheFileIsMissingOrNoCounter) {
  for (const char* content : {"", "rubbish", "0:5:"}) {
    WriteFile(file_, content);
    const base::Seconds now = base::WallNow();
    SenderCounter counter(file_, now);
    EXPECT_GE(counter.Next().global, now) << content;
  }
}

TEST_F(SenderCounterTest, GoesOnFromAFileThatIsAheadOfTheTime) {
  WriteFile(file_, "2147483647:41:");
  SenderCounter counter(file_, base::WallNow());
  EXPECT_EQ(counter.Next(), (Counter{2147483647, 42}));
}

TEST_F(SenderCounterTest, NeverGivesACounterTwiceOverACrash) {
  Counter last;
  for (int crash = 0; crash < 5; ++crash) {
    const std::string before = std::filesystem::exists(file_) ? base::ReadFile(file_) : "";
    SenderCounter counter(file_, base::WallNow());
    for (int i = 0; i < 3000; ++i) {
      const Counter next = counter.Next();
      ASSERT_GT(next, last);
      ASSERT_LE(next, Stored()) << "no packet may pass what is on disk";
      last = next;
    }
    const std::string content = base::ReadFile(file_);
    counter.Save();
    WriteFile(file_, content);  // as if it had been killed before
  }
}

TEST_F(SenderCounterTest, SkipsNothingOverAnOrderlyEnd) {
  Counter last;
  {
    SenderCounter counter(file_, base::WallNow());
    counter.JumpAhead(base::WallNow() + 1000);
    for (int i = 0; i < 10; ++i) last = counter.Next();
  }
  EXPECT_EQ(Stored(), last);
  SenderCounter counter(file_, base::WallNow());
  EXPECT_EQ(counter.Next(), last.Next());
}

TEST_F(SenderCounterTest, JumpsAboveEverythingBefore) {
  SenderCounter counter(file_, base::WallNow());
  const Counter before = counter.Next();
  counter.JumpAhead(base::WallNow() + 5000);
  const Counter jumped = counter.Next();
  EXPECT_GE(jumped.global, before.global + 4999);
  counter.JumpAhead(10);  // a clock that was set back
  EXPECT_GT(counter.Next(), jumped);
  EXPECT_LE(counter.Next(), Stored());
}

TEST_F(SenderCounterTest, IgnoresABrokenClock) {
  SenderCounter counter(file_, 4'000'000'000);
  EXPECT_LT(counter.Next().global, 2'147'483'647U);
  counter.JumpAhead(-5);
  EXPECT_LT(counter.Next().global, 2'147'483'647U);
}

TEST_F(SenderCounterTest, GivesEachCounterToOneThreadOnly) {
  SenderCounter counter(file_, base::WallNow());
  std::vector<std::vector<Counter>> given(4);
  std::vector<std::thread> threads;
  for (auto& own : given) {
    threads.emplace_back([&counter, &own] {
      for (int i = 0; i < 5000; ++i) own.push_back(counter.Next());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<Counter> all;
  for (const auto& own : given) all.insert(own.begin(), own.end());
  EXPECT_EQ(all.size(), 20000U);
}

TEST_F(SenderCounterTest, SaysWhyItCannotOpen) {
  EXPECT_THROW(SenderCounter("/nonexistent/sender_counter", 1), Error);
}

class ReceiveCountersTest : public testing::Test {
 protected:
  std::filesystem::path Rids() const { return directory_.path(); }
  std::filesystem::path Database() const { return directory_ / "state.db"; }

  // One life of a daemon that is killed at its end: nothing but what Flush wrote remains.
  template <typename Body>
  void Life(const Body& body, ReceiveCounters::Options options = {}) {
    ChannelState state(Database());
    ReceiveCounters counters(state, Rids(), options);
    body(counters);
  }

  TemporaryDirectory directory_;
};

TEST_F(ReceiveCountersTest, RemembersWindowsOverARestart) {
  Life([](ReceiveCounters& counters) {
    const auto peer = counters.For("001");
    peer->Accept({5, 10});
    peer->Accept({5, 8});
  });
  Life([](ReceiveCounters& counters) {
    const auto peer = counters.For("001");
    EXPECT_EQ(peer->Accept({5, 10}), Verdict::kDuplicate);
    EXPECT_EQ(peer->Accept({5, 8}), Verdict::kDuplicate);
    EXPECT_EQ(peer->Accept({5, 9}), Verdict::kNew) << "the bitmap is kept too";
    EXPECT_EQ(peer->Accept({4, 1}), Verdict::kOld);
    EXPECT_EQ(counters.For("002")->Accept({0, 1}), Verdict::kNew);
  });
}

TEST_F(ReceiveCountersTest, LosesOnlyWhatCameAfterTheLastFlush) {
  ChannelState state(Database());
  ReceiveCounters counters(state, Rids(), {});
  counters.For("001")->Accept({7, 1});
  EXPECT_TRUE(counters.Flush());
  counters.For("001")->Accept({7, 2});
  // What a process sees that starts after this one was killed.
  const auto stored = ChannelState(Database()).LoadWindows();
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].window.highest(), (Counter{7, 1}));
}

TEST_F(ReceiveCountersTest, TakesOverTheFilesOfAnEarlierInstallation) {
  WriteFile(Rids() / "001", "12:345:99:");
  WriteFile(Rids() / "002", "");
  Life([](ReceiveCounters& counters) {
    EXPECT_EQ(counters.For("001")->Check({12, 345}), Verdict::kDuplicate);
    EXPECT_EQ(counters.For("001")->Accept({12, 346}), Verdict::kNew);
    EXPECT_EQ(counters.For("002")->Accept({0, 1}), Verdict::kNew);
  });
  WriteFile(Rids() / "001", "1:1:");
  Life([](ReceiveCounters& counters) {
    EXPECT_EQ(counters.For("001")->Check({12, 346}), Verdict::kDuplicate) << "the store counts";
  });
}

TEST_F(ReceiveCountersTest, MakesAFileThatAnAdministratorCanDelete) {
  Life([&](ReceiveCounters& counters) {
    const auto peer = counters.For("001");
    counters.For("002");
    peer->Accept({9, 9});
    counters.Flush();
    EXPECT_EQ(base::ReadFile(Rids() / "001"), "9:9:");
    EXPECT_FALSE(std::filesystem::exists(Rids() / "002")) << "never heard: nothing to reset";
    EXPECT_THAT(counters.FindDeletedFiles(), IsEmpty());

    std::filesystem::remove(Rids() / "001");
    EXPECT_THAT(counters.FindDeletedFiles(), ElementsAre("001"));
    EXPECT_THAT(counters.FindDeletedFiles(), IsEmpty());
    EXPECT_EQ(peer->Accept({0, 1}), Verdict::kNew) << "also for those who hold the window";
    counters.Flush();
    EXPECT_TRUE(std::filesystem::exists(Rids() / "001")) << "for the next time";
  });
}

TEST_F(ReceiveCountersTest, SeesADeletionWhileNobodyRan) {
  Life([](ReceiveCounters& counters) { counters.For("001")->Accept({9, 9}); });
  std::filesystem::remove(Rids() / "001");
  Life([](ReceiveCounters& counters) {
    EXPECT_EQ(counters.For("001")->Accept({0, 1}), Verdict::kNew);
  });
}

TEST_F(ReceiveCountersTest, AnAgentHasNoFiles) {
  Life(
      [](ReceiveCounters& counters) {
        counters.For("10.0.0.1:1514")->Accept({9, 9});
      },
      {.files = false});
  EXPECT_FALSE(std::filesystem::exists(Rids() / "10.0.0.1:1514"));
  Life(
      [](ReceiveCounters& counters) {
        EXPECT_EQ(counters.For("10.0.0.1:1514")->Check({9, 9}), Verdict::kDuplicate);
      },
      {.files = false});
}

TEST_F(ReceiveCountersTest, ForgetsAPeerWhoseKeyChanged) {
  Life([&](ReceiveCounters& counters) {
    counters.For("001")->Accept({9, 9});
    counters.Flush();
    counters.Forget("001");
    EXPECT_FALSE(std::filesystem::exists(Rids() / "001"));
    EXPECT_EQ(counters.For("001")->Accept({0, 1}), Verdict::kNew);
    counters.For("002")->Accept({1, 1});
    counters.Flush();
    counters.Forget("002");
  });
  Life([](ReceiveCounters& counters) {
    EXPECT_EQ(counters.For("001")->Check({0, 1}), Verdict::kDuplicate);
    EXPECT_EQ(counters.For("002")->Check({1, 1}), Verdict::kNew);
  });
}

TEST_F(ReceiveCountersTest, GoesBackForAProvenExchangeOnly) {
  Life([](ReceiveCounters& counters) {
    const auto peer = counters.For("001");
    peer->Accept({9, 9});
    EXPECT_EQ(peer->Accept({1, 5}), Verdict::kOld);
    counters.Resynchronise("001", {1, 5});
    EXPECT_EQ(peer->Accept({1, 5}), Verdict::kDuplicate);
    EXPECT_EQ(peer->Accept({1, 6}), Verdict::kNew);
  });
  Life([](ReceiveCounters& counters) {
    EXPECT_EQ(counters.For("001")->window().highest(), (Counter{1, 6}));
  });
}

TEST_F(ReceiveCountersTest, MakesFilesAFewAtATime) {
  Life([&](ReceiveCounters& counters) {
    const size_t agents = ReceiveCounters::kFilesPerFlush + 10;
    for (size_t i = 0; i < agents; ++i) counters.For(std::to_string(i))->Accept({1, 1});
    counters.Flush();
    const auto files = [&] {
      size_t count = 0;
      for (const auto& entry : std::filesystem::directory_iterator(Rids())) {
        count += entry.path().filename().native().starts_with("state") ? 0 : 1;
      }
      return count;
    };
    EXPECT_EQ(files(), ReceiveCounters::kFilesPerFlush);
    for (size_t i = 0; i < agents; ++i) counters.For(std::to_string(i))->Accept({1, 2});
    counters.Flush();
    EXPECT_EQ(files(), agents);
  });
}

TEST_F(ReceiveCountersTest, NeverTouchesPathsOutsideItsDirectory) {
  Life([&](ReceiveCounters& counters) {
    for (const char* id : {"../outside", ".", "..", "", "a/b"}) counters.For(id)->Accept({1, 1});
    counters.Flush();
    for (const char* id : {"../outside", ".", "..", "", "a/b"}) counters.Forget(id);
  });
  EXPECT_FALSE(std::filesystem::exists(directory_.path().parent_path() / "outside"));
  EXPECT_TRUE(std::filesystem::exists(Database()));
}

TEST_F(ReceiveCountersTest, CountsOnManyThreadsWhileItIsWritten) {
  ChannelState state(Database());
  ReceiveCounters counters(state, Rids(), {});
  std::atomic<uint32_t> accepted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (uint32_t i = 1; i <= 2000; ++i) {
        if (counters.For(std::to_string(i % 50))->Accept({1, i}) == Verdict::kNew) ++accepted;
      }
    });
  }
  for (int i = 0; i < 10; ++i) counters.Flush();
  for (std::thread& thread : threads) thread.join();
  // Each of the 2,000 counters is one peer's; late ones may be below its window.
  EXPECT_LE(accepted, 2000U);
  EXPECT_GE(accepted, 50U);
  EXPECT_TRUE(counters.Flush());
  EXPECT_EQ(state.LoadWindows().size(), 50U);
}

}  // namespace
}  // namespace ospatrol::secure
