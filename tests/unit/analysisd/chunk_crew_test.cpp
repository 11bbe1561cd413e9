#include "analysisd/chunk_crew.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <set>
#include <system_error>
#include <vector>

namespace ospatrol::analysisd {
namespace {

// Squares numbers, then squares them again, slot by slot.
class Squares : public ChunkCrew::Work {
 public:
  void Decode(size_t chunk, size_t slot) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(in_use_[slot]) << "two chunks in one slot";
    in_use_[slot] = true;
    squares_[slot] = chunk * chunk;
    threads.insert(std::this_thread::get_id());
    most_in_flight = std::max<size_t>(most_in_flight, ++in_flight_);
  }
  void Judge(size_t chunk, size_t slot) override {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(squares_[slot], chunk * chunk);
    EXPECT_EQ(std::this_thread::get_id(), owner);
    judged.push_back(chunk);
  }
  void Record(size_t chunk, size_t slot) override {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(squares_[slot], chunk * chunk);
    EXPECT_LT(chunk, judged.size()) << "not judged yet";
    squares_[slot] *= squares_[slot];
    threads.insert(std::this_thread::get_id());
  }
  void Collect(size_t chunk, size_t slot) override {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(squares_[slot], chunk * chunk * chunk * chunk);
    EXPECT_EQ(std::this_thread::get_id(), owner);
    in_use_[slot] = false;
    --in_flight_;
    collected.push_back(chunk);
  }

  const std::thread::id owner = std::this_thread::get_id();
  std::vector<size_t> judged, collected;
  std::set<std::thread::id> threads;
  size_t most_in_flight = 0;

 private:
  std::mutex mutex_;
  std::array<size_t, ChunkCrew::kSlots> squares_{};
  std::array<bool, ChunkCrew::kSlots> in_use_{};
  size_t in_flight_ = 0;
};

class ChunkCrewTest : public testing::TestWithParam<size_t> {};

TEST_P(ChunkCrewTest, JudgesAndCollectsEveryChunkOnceAndInOrder) {
  ChunkCrew crew(GetParam());
  for (const size_t chunks : {size_t{0}, size_t{1}, size_t{2}, size_t{7}, size_t{1000}}) {
    Squares work;
    crew.Run(chunks, work);
    ASSERT_EQ(work.judged.size(), chunks);
    for (size_t i = 0; i < chunks; ++i) EXPECT_EQ(work.judged[i], i);
    EXPECT_EQ(work.collected, work.judged);
    EXPECT_LE(work.most_in_flight, ChunkCrew::kSlots);
  }
}

TEST_P(ChunkCrewTest, HasAsManyThreadsAsAskedFor) {
  ChunkCrew crew(GetParam());
  EXPECT_EQ(crew.threads(), GetParam());
  Squares work;
  crew.Run(100, work);
  EXPECT_LE(work.threads.size(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, ChunkCrewTest, testing::Values(1, 2, 4, 16));

// For a child that ends afterwards.
[[noreturn]] void StartMoreThreadsThanAllowed() {
  const rlimit few{3, 3};
  if (setrlimit(RLIMIT_NPROC, &few) != 0) std::_Exit(1);
  // Root is bound by no such limit.
  constexpr uid_t kNobody = 65534;
  if (getuid() == 0 && setuid(kNobody) != 0) std::_Exit(2);
  try {
    const ChunkCrew crew(1000);
  } catch (const std::system_error&) {
    std::_Exit(0);
  }
  std::_Exit(3);
}

TEST(ChunkCrew, EndsTheThreadsThatItHasWhenOneMoreCannotStart) {
  EXPECT_EXIT(StartMoreThreadsThanAllowed(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ospatrol::analysisd
