#include "analysisd/decode_crew.h"

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

// Squares numbers, slot by slot.
class Squares : public DecodeCrew::Work {
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
    in_use_[slot] = false;
    --in_flight_;
    judged.push_back(chunk);
  }

  const std::thread::id owner = std::this_thread::get_id();
  std::vector<size_t> judged;
  std::set<std::thread::id> threads;
  size_t most_in_flight = 0;

 private:
  std::mutex mutex_;
  std::array<size_t, DecodeCrew::kSlots> squares_{};
  std::array<bool, DecodeCrew::kSlots> in_use_{};
  size_t in_flight_ = 0;
};

class DecodeCrewTest : public testing::TestWithParam<size_t> {};

TEST_P(DecodeCrewTest, JudgesEveryChunkOnceAndInOrder) {
  DecodeCrew crew(GetParam());
  for (const size_t chunks : {size_t{0}, size_t{1}, size_t{2}, size_t{7}, size_t{1000}}) {
    Squares work;
    crew.Run(chunks, work);
    ASSERT_EQ(work.judged.size(), chunks);
    for (size_t i = 0; i < chunks; ++i) EXPECT_EQ(work.judged[i], i);
    EXPECT_LE(work.most_in_flight, DecodeCrew::kSlots);
  }
}

TEST_P(DecodeCrewTest, HasAsManyThreadsAsAskedFor) {
  DecodeCrew crew(GetParam());
  EXPECT_EQ(crew.threads(), GetParam());
  Squares work;
  crew.Run(100, work);
  EXPECT_LE(work.threads.size(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, DecodeCrewTest, testing::Values(1, 2, 4, 16));

// For a child that ends afterwards.
[[noreturn]] void StartMoreThreadsThanAllowed() {
  const rlimit few{3, 3};
  if (setrlimit(RLIMIT_NPROC, &few) != 0) std::_Exit(1);
  // Root is bound by no such limit.
  constexpr uid_t kNobody = 65534;
  if (getuid() == 0 && setuid(kNobody) != 0) std::_Exit(2);
  try {
    const DecodeCrew crew(1000);
  } catch (const std::system_error&) {
    std::_Exit(0);
  }
  std::_Exit(3);
}

TEST(DecodeCrew, EndsTheThreadsThatItHasWhenOneMoreCannotStart) {
  EXPECT_EXIT(StartMoreThreadsThanAllowed(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ospatrol::analysisd
