#include "analysisd/ring_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>

namespace ospatrol::analysisd {
namespace {

class Rings : public testing::Test {
 protected:
  Past& Remember(uint64_t sequence) {
    std::array<Ring*, 1> ring{nullptr};
    return past_.Add({.time = 1000, .sequence = sequence, .rule = nullptr, .full_log = "text"}, {},
                     ring);
  }

  BlockPool pool_;
  RingTable table_{pool_};
  PastEvents past_{pool_};
};

TEST_F(Rings, AreFoundByCounterAndKeyWhateverIsErased) {
  std::mt19937 random(5);
  std::map<std::pair<uint32_t, std::string>, Ring*> known;
  for (int step = 0; step < 100'000; ++step) {
    // Many, then few.
    const unsigned keys = step % 40'000 < 20'000 ? 2000 : 20;
    const auto counter = static_cast<uint32_t>(random() % 3);
    std::string key(random() % 20, 'k');
    key += std::to_string(random() % keys);
    const auto place = known.find({counter, key});
    Ring* const wanted = place == known.end() ? nullptr : place->second;
    ASSERT_EQ(table_.Find(counter, key), wanted);
    if (wanted == nullptr) {
      Ring& added = table_.FindOrAdd(counter, key, random() % 2 == 0);
      ASSERT_EQ(added.size, 0u);
      ASSERT_EQ(added.key(), key);
      known[{counter, key}] = &added;
    } else {
      ASSERT_EQ(&table_.FindOrAdd(counter, key, false), wanted);
      if (random() % 2 == 0) continue;
      table_.Erase(*wanted);
      known.erase(place);
    }
    ASSERT_EQ(table_.size(), known.size());
    if (step % 20'000 == 19'999) {
      for (const auto& [name, ring] : known) table_.Erase(*ring);
      known.clear();
    }
  }
  table_.Clear();
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(pool_.bytes(), 0u);
}

TEST_F(Rings, KeepEventsInTheOrderTheyCame) {
  constexpr size_t kMost = 13;
  Ring& ring = table_.FindOrAdd(0, "10.0.0.1", false);
  uint64_t oldest = 1;
  for (uint64_t sequence = 1; sequence <= 200; ++sequence) {
    if (ring.size == kMost || sequence % 17 == 0) {
      EXPECT_EQ(table_.TakeOldest(ring).sequence(), oldest);
      ++oldest;
    }
    table_.Append(ring, Remember(sequence), sequence, {}, kMost);
    ASSERT_EQ(ring.size, sequence - oldest + 1);
    ASSERT_EQ(ring.oldest, oldest);
    ASSERT_EQ(ring.Oldest().sequence(), oldest);
    for (uint32_t i = 0; i < ring.size; ++i) {
      ASSERT_EQ(ring.SequenceFromNewest(i), sequence - i);
      ASSERT_EQ(ring.FromNewest(i).sequence(), sequence - i);
      ASSERT_EQ(ring.CountNewer(sequence - i), i);
    }
    ASSERT_EQ(ring.CountNewer(0), ring.size);
  }
}

TEST_F(Rings, OfAFewEventsTakeTensOfBytes) {
  if (BlockPool::kLargest == 0) GTEST_SKIP() << "a sanitizer has all blocks";
  constexpr size_t kRings = 1000;
  Past& past = Remember(1);
  const size_t before = pool_.bytes();
  for (size_t i = 0; i < kRings; ++i) {
    Ring& ring = table_.FindOrAdd(0, fmt::format("10.200.100.{}", i), false);
    table_.Append(ring, past, 1, {}, 100);
  }
  EXPECT_LE((pool_.bytes() - before) / kRings, 100u);
}

TEST_F(Rings, ByValueGiveTheirEventsBackInOrder) {
  Ring& ring = table_.FindOrAdd(0, "", true);
  for (uint64_t sequence = 1; sequence <= 9; ++sequence) {
    table_.Append(ring, Remember(sequence), sequence, sequence % 2 == 0 ? "a" : "b", 9);
  }
  for (uint64_t sequence = 1; sequence <= 9; ++sequence) {
    EXPECT_EQ(ring.oldest, sequence);
    EXPECT_EQ(table_.TakeOldest(ring).sequence(), sequence);
  }
  EXPECT_EQ(ring.size, 0u);
}

}  // namespace
}  // namespace ospatrol::analysisd
