#include "analysisd/block_pool.h"

#include <memory_resource>
#include <new>
#include <utility>

namespace ospatrol::analysisd {
namespace {

// Pages start at a multiple of this, so a block's address tells its page.
constexpr size_t kPageSpan = size_t{16} << 10;
// The system's allocator has its own bytes between two pages; with room for them they lie densely.
constexpr size_t kPageBytes = kPageSpan - BlockPool::kGrain;

std::pmr::memory_resource& System() { return *std::pmr::new_delete_resource(); }

// What is written of a page at each block that comes or goes lies at its head. Were the heads all
// at the same distance from a page's start, they would push each other out of the processor's
// cache.
constexpr size_t kHeads = 16;
constexpr size_t kLine = 64;

struct FreeBlock {
  FreeBlock* next;
};

size_t ClassOf(size_t size) { return (size + BlockPool::kGrain - 1) / BlockPool::kGrain; }

}  // namespace

struct alignas(kLine) BlockPool::Page {
  Page* next = nullptr;  // of those of its class that have room
  Page* previous = nullptr;
  FreeBlock* freed = nullptr;
  uint32_t in_use = 0;
  uint32_t fresh = 0;  // from the page's start: where the blocks begin that were never in use
  uint32_t size_class = 0;
  uint32_t number = 0;  // in pages_

  size_t block_bytes() const { return size_class * kGrain; }
  bool HasRoom() const { return freed != nullptr || fresh + block_bytes() <= kPageBytes; }

  static std::byte* StartOf(void* inside) {
    return static_cast<std::byte*>(inside) - reinterpret_cast<uintptr_t>(inside) % kPageSpan;
  }
  static Page* In(std::byte* start) {
    const size_t head = reinterpret_cast<uintptr_t>(start) / kPageSpan % kHeads;
    return reinterpret_cast<Page*>(start + head * kLine);
  }
};

void BlockPool::PageDeleter::operator()(Page* page) const {
  System().deallocate(Page::StartOf(page), kPageBytes, kPageSpan);
}

BlockPool::BlockPool() = default;
BlockPool::~BlockPool() = default;

void* BlockPool::Allocate(size_t size) {
  if (size > kLargest) {
    bytes_ += size;
    return System().allocate(size, kGrain);
  }
  const size_t size_class = ClassOf(size);
  Page* page = with_room_[size_class];
  if (page == nullptr) page = AddPage(size_class);
  bytes_ += size_class * kGrain;
  ++page->in_use;
  void* block = page->freed;
  if (block != nullptr) {
    page->freed = page->freed->next;
  } else {
    block = Page::StartOf(page) + page->fresh;
    page->fresh += static_cast<uint32_t>(page->block_bytes());
  }
  if (!page->HasRoom()) Unlink(*page);
  return block;
}

void BlockPool::Free(void* block, size_t size) {
  if (size > kLargest) {
    bytes_ -= size;
    System().deallocate(block, size, kGrain);
    return;
  }
  Page& page = *Page::In(Page::StartOf(block));
  bytes_ -= page.block_bytes();
  const bool had_room = page.HasRoom();
  page.freed = std::construct_at(static_cast<FreeBlock*>(block), FreeBlock{page.freed});
  --page.in_use;
  if (!had_room) Link(page);
  // The only page with room stays: the next event would ask for it again.
  if (page.in_use == 0 && (page.next != nullptr || page.previous != nullptr)) RemovePage(page);
}

BlockPool::Page* BlockPool::AddPage(size_t size_class) {
  auto* const start = static_cast<std::byte*>(System().allocate(kPageBytes, kPageSpan));
  std::unique_ptr<Page, PageDeleter> page(std::construct_at(Page::In(start)));
  page->fresh = static_cast<uint32_t>(reinterpret_cast<std::byte*>(page.get() + 1) - start);
  page->size_class = static_cast<uint32_t>(size_class);
  page->number = static_cast<uint32_t>(pages_.size());
  pages_.push_back(std::move(page));
  Link(*pages_.back());
  return pages_.back().get();
}

void BlockPool::RemovePage(Page& page) {
  Unlink(page);
  const uint32_t number = page.number;
  std::swap(pages_[number], pages_.back());
  pages_[number]->number = number;
  pages_.pop_back();
}

void BlockPool::Link(Page& page) {
  Page*& first = with_room_[page.size_class];
  page.previous = nullptr;
  page.next = first;
  if (first != nullptr) first->previous = &page;
  first = &page;
}

void BlockPool::Unlink(Page& page) {
  (page.previous != nullptr ? page.previous->next : with_room_[page.size_class]) = page.next;
  if (page.next != nullptr) page.next->previous = page.previous;
  page.next = page.previous = nullptr;
}

}  // namespace ospatrol::analysisd
