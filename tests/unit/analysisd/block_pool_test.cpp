#include "analysisd/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>
#include <vector>

namespace ospatrol::analysisd {
namespace {

struct Block {
  void* memory;
  size_t size;
  unsigned char byte;  // all of it
};

bool IsIntact(const Block& block) {
  const auto* const bytes = static_cast<const unsigned char*>(block.memory);
  for (size_t i = 0; i < block.size; ++i) {
    if (bytes[i] != block.byte) return false;
  }
  return true;
}

TEST(BlockPool, GivesBlocksThatDoNotOverlap) {
  BlockPool pool;
  std::mt19937 random(3);
  const auto below = [&](size_t limit) { return random() % limit; };
  std::vector<Block> blocks;
  for (int step = 0; step < 50'000; ++step) {
    if (blocks.empty() || below(100) < (step < 25'000 ? 60u : 40u)) {
      Block block{nullptr, 1 + below(below(10) == 0 ? 5000 : 400), 0};
      block.memory = pool.Allocate(block.size);
      block.byte = static_cast<unsigned char>(below(256));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(block.memory) % BlockPool::kGrain, 0u);
      std::memset(block.memory, block.byte, block.size);
      blocks.push_back(block);
    } else {
      std::swap(blocks[below(blocks.size())], blocks.back());
      ASSERT_TRUE(IsIntact(blocks.back()));
      pool.Free(blocks.back().memory, blocks.back().size);
      blocks.pop_back();
    }
  }
  size_t bytes = 0;
  for (const Block& block : blocks) bytes += block.size;
  EXPECT_GE(pool.bytes(), bytes);
  EXPECT_LE(pool.bytes(), bytes + blocks.size() * BlockPool::kGrain);
  for (const Block& block : blocks) {
    EXPECT_TRUE(IsIntact(block));
    pool.Free(block.memory, block.size);
  }
  EXPECT_EQ(pool.bytes(), 0u);
}

TEST(BlockPool, KeepsNoMoreThanAPageOfASizeThatIsNotInUse) {
  if (BlockPool::kLargest == 0) GTEST_SKIP() << "a sanitizer has all blocks";
  BlockPool pool;
  std::deque<void*> blocks;
  for (int i = 0; i < 10'000; ++i) blocks.push_back(pool.Allocate(200));
  EXPECT_GT(pool.pages(), 100u);
  // Dense: little of a page is lost.
  EXPECT_LT(pool.pages() * 16 * 1024, 10'000u * 208 * 11 / 10);
  for (void* block : blocks) pool.Free(block, 200);
  EXPECT_LE(pool.pages(), 1u);
}

TEST(BlockPool, UsesAFreedBlockAgain) {
  if (BlockPool::kLargest == 0) GTEST_SKIP() << "a sanitizer has all blocks";
  BlockPool pool;
  void* const first = pool.Allocate(100);
  void* const second = pool.Allocate(100);
  pool.Free(first, 100);
  EXPECT_EQ(pool.Allocate(97), first);
  pool.Free(first, 97);
  pool.Free(second, 100);
}

}  // namespace
}  // namespace ospatrol::analysisd
