#include "analysisd/hash_index.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <string>

#include "analysisd/text_hash.h"

namespace ospatrol::analysisd {
namespace {

TEST(HashIndex, FindsWhatWasAddedAndNotErased) {
  struct Item {
    int number;
    uint64_t hash;
  };
  std::mt19937 random(9);
  std::deque<Item> items;
  // Hashes of few values: long searches, and gaps in the middle of them.
  for (int i = 0; i < 400; ++i) items.push_back({i, random() % 60 + (random() % 3 << 32)});
  HashIndex<Item> index;
  std::set<int> there;
  for (int step = 0; step < 50'000; ++step) {
    // Many, then few.
    Item& item = items[random() % (step % 10'000 < 5'000 ? 400 : 8)];
    const auto is_same = [&](const Item& other) { return other.number == item.number; };
    ASSERT_EQ(index.Find(item.hash, is_same), there.contains(item.number) ? &item : nullptr);
    if (there.insert(item.number).second) {
      index.Add(item.hash, item);
    } else {
      index.Erase(item.hash, item);
      there.erase(item.number);
    }
    ASSERT_EQ(index.size(), there.size());
  }
  std::set<int> visited;
  index.ForEach([&](const Item& item) { visited.insert(item.number); });
  EXPECT_EQ(visited, there);
  index.Clear();
  EXPECT_EQ(index.size(), 0u);
}

TEST(HashIndex, ShrinksAfterABurst) {
  std::deque<int> items(10'000);
  HashIndex<int> index;
  const size_t before = index.bytes();
  for (size_t i = 0; i < items.size(); ++i) index.Add(i * 7, items[i]);
  EXPECT_GT(index.bytes(), before * 100);
  for (size_t i = 0; i < items.size(); ++i) index.Erase(i * 7, items[i]);
  EXPECT_EQ(index.bytes(), before);
}

TEST(TextHash, DependsOnEveryByteTheLengthAndTheNumber) {
  const TextHash hash;
  std::set<uint64_t> seen;
  size_t texts = 0;
  for (size_t size = 0; size <= 40; ++size) {
    std::string text(size, 'x');
    seen.insert(hash(text));
    seen.insert(hash(text, 1));
    texts += 2;
    for (char& byte : text) {
      byte = 'y';
      seen.insert(hash(text));
      byte = 'x';
      ++texts;
    }
  }
  EXPECT_EQ(seen.size(), texts);
  EXPECT_NE(TextHash()("text"), hash("text"));
}

}  // namespace
}  // namespace ospatrol::analysisd
