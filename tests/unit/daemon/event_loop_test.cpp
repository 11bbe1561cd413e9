#include "daemon/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/error.h"
#include "base/files.h"

namespace ospatrol::daemon {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    reader = base::Fd(ends[0]);
    writer = base::Fd(ends[1]);
  }
  void Put(std::string_view bytes) const { EXPECT_TRUE(base::WriteAll(writer.get(), bytes)); }
  char Take() const {
    char byte = 0;
    EXPECT_EQ(read(reader.get(), &byte, 1), 1);
    return byte;
  }
  base::Fd reader, writer;
};

class EventLoopTest : public ::testing::Test {
 protected:
  // A test that waits for something that never comes fails instead of hanging.
  EventLoopTest()
      : deadline_(loop_.After(milliseconds(60'000), [this] {
          ADD_FAILURE() << "waited in vain";
          loop_.Stop();
        })) {}

  EventLoop loop_;
  EventLoop::Registration deadline_;
};

TEST_F(EventLoopTest, CallsAgainUntilEverythingIsRead) {
  const Pipe pipe;
  pipe.Put("abc");
  std::string got;
  const auto watch = loop_.WatchReadable(pipe.reader.get(), [&] {
    got += pipe.Take();
    if (got.size() == 3) loop_.Stop();
  });
  loop_.Run();
  EXPECT_EQ(got, "abc");
}

TEST_F(EventLoopTest, ReportsEndOfFileAsReadable) {
  Pipe pipe;
  pipe.writer.reset();
  bool end = false;
  const auto watch = loop_.WatchReadable(pipe.reader.get(), [&] {
    char byte;
    end = read(pipe.reader.get(), &byte, 1) == 0;
    loop_.Stop();
  });
  loop_.Run();
  EXPECT_TRUE(end);
}

TEST_F(EventLoopTest, TheSameDescriptorCanBeWatchedInBothDirections) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const base::Fd ours(ends[0]), theirs(ends[1]);
  ASSERT_TRUE(base::WriteAll(theirs.get(), "x"));
  bool readable = false, writable = false;
  EventLoop::Registration write_watch;
  const auto read_watch = loop_.WatchReadable(ours.get(), [&] {
    readable = true;
    if (writable) loop_.Stop();
  });
  write_watch = loop_.WatchWritable(ours.get(), [&] {
    writable = true;
    if (readable) loop_.Stop();
  });
  loop_.Run();
  EXPECT_TRUE(readable && writable);
}

TEST_F(EventLoopTest, WaitsUntilAFullPipeIsWritableAgain) {
  const Pipe pipe;
  ASSERT_EQ(fcntl(pipe.writer.get(), F_SETFL, O_NONBLOCK), 0);
  while (base::WriteAll(pipe.writer.get(), std::string(4096, 'x'))) {
  }
  bool drained = false;
  const auto watch = loop_.WatchWritable(pipe.writer.get(), [&] {
    EXPECT_TRUE(drained);
    loop_.Stop();
  });
  const auto timer = loop_.After(milliseconds(1), [&] {
    drained = true;
    std::string space(65536, '\0');
    EXPECT_GT(read(pipe.reader.get(), space.data(), space.size()), 0);
  });
  loop_.Run();
}

TEST_F(EventLoopTest, ARegistrationCanEndItselfInItsCallback) {
  const Pipe pipe;
  pipe.Put("ab");
  int calls = 0;
  const auto captured = std::make_shared<int>(7);
  EventLoop::Registration watch;
  watch = loop_.WatchReadable(pipe.reader.get(), [&, captured] {
    watch.reset();
    ++calls;
    EXPECT_EQ(*captured, 7);  // what the callback holds lives until it returns
    loop_.Post([&] { loop_.Stop(); });
  });
  loop_.Run();
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, TheDescriptorStaysOpenAfterTheRegistration) {
  const Pipe pipe;
  loop_.WatchReadable(pipe.reader.get(), [] {}).reset();
  pipe.Put("x");
  EXPECT_EQ(pipe.Take(), 'x');
}

TEST_F(EventLoopTest, RefusesWhatCannotBeWaitedFor) {
  const base::Fd file = base::OpenFile("/proc/self/exe", O_RDONLY);
  EXPECT_THROW(static_cast<void>(loop_.WatchReadable(file.get(), [] {})), Error);
  EXPECT_THROW(static_cast<void>(loop_.WatchReadable(-1, [] {})), Error);
}

TEST_F(EventLoopTest, TimersRunInOrderAndNotBeforeTheirTime) {
  std::string order;
  const auto begin = Clock::now();
  const auto late = loop_.After(milliseconds(30), [&] {
    order += 'l';
    loop_.Stop();
  });
  const auto early = loop_.After(milliseconds(1), [&] { order += 'e'; });
  loop_.Run();
  EXPECT_EQ(order, "el");
  EXPECT_GE(Clock::now() - begin, milliseconds(30));
}

TEST_F(EventLoopTest, APeriodicTimerRunsUntilItIsDestroyed) {
  int calls = 0;
  EventLoop::Registration timer;
  timer = loop_.Every(milliseconds(1), [&] {
    if (++calls == 5) timer.reset();
  });
  const auto end = loop_.Every(milliseconds(1), [&] {
    if (calls == 5) loop_.Stop();
  });
  loop_.Run();
  EXPECT_EQ(calls, 5);
}

TEST_F(EventLoopTest, DeliversSignalsAsOrdinaryCallbacks) {
  int calls = 0;
  const auto first = loop_.OnSignal(SIGUSR1, [&] {
    if (++calls == 2) {
      loop_.Stop();
    } else {
      raise(SIGUSR1);
    }
  });
  raise(SIGUSR1);
  loop_.Run();
  EXPECT_EQ(calls, 2);
}

TEST_F(EventLoopTest, TakesTasksFromOtherThreads) {
  int done = 0;
  std::thread thread([&] {
    for (int i = 0; i < 100; ++i) loop_.Post([&] { ++done; });
    loop_.Post([&] { loop_.Stop(); });
  });
  loop_.Run();
  thread.join();
  EXPECT_EQ(done, 100);
}

TEST_F(EventLoopTest, StopBeforeRunMeansNoRunAndTheNextOneRuns) {
  bool ran = false;
  loop_.Stop();
  loop_.Post([&] { ran = true; });
  loop_.Run();
  EXPECT_FALSE(ran);
  loop_.Post([&] { loop_.Stop(); });
  loop_.Run();
  EXPECT_TRUE(ran);
}

TEST_F(EventLoopTest, WhatACallbackThrowsLeavesRun) {
  loop_.Post([] { throw Error("from a callback"); });
  EXPECT_THROW(loop_.Run(), Error);
}

TEST_F(EventLoopTest, AForkedChildHasALoopOfItsOwn) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    loop_.AfterFork();
    const Pipe pipe;
    pipe.Put("x");
    const auto watch = loop_.WatchReadable(pipe.reader.get(), [&] { loop_.Stop(); });
    loop_.Run();
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ospatrol::daemon
