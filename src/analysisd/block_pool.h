// Memory for what the correlation history is made of: many small blocks of some dozen sizes that
// come and go with every event, in an order of their own.
//
// Blocks of one size, rounded up to kGrain, share pages. A page keeps its freed blocks in a list
// that runs through them; a full page that gets one back is the next to give one, so what is handed
// out was mostly touched a moment ago. A page without blocks in use goes back to the system's
// allocator: a burst does not stay in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define OSPATROL_ADDRESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OSPATROL_ADDRESS_SANITIZED 1
#endif
#endif

namespace ospatrol::analysisd {

// Not thread-safe.
class BlockPool {
 public:
  BlockPool();
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Aligned for any object of up to kGrain bytes alignment. REQUIRES: size > 0.
  void* Allocate(size_t size);
  // `size` as it was allocated. All blocks must be freed before the pool ends.
  void Free(void* block, size_t size);

  // In blocks that are in use.
  size_t bytes() const { return bytes_; }
  size_t pages() const { return pages_.size(); }

  static constexpr size_t kGrain = 16;
  // A larger block comes from the system's allocator, and so does each one where a sanitizer
  // watches: it shall know their ends.
#if defined(OSPATROL_ADDRESS_SANITIZED)
  static constexpr size_t kLargest = 0;
#else
  static constexpr size_t kLargest = 1024;
#endif

 private:
  struct Page;
  struct PageDeleter {
    void operator()(Page* page) const;
  };

  Page* AddPage(size_t size_class);
  void RemovePage(Page& page);
  void Link(Page& page);
  void Unlink(Page& page);

  std::vector<std::unique_ptr<Page, PageDeleter>> pages_;
  std::array<Page*, kLargest / kGrain + 1> with_room_{};  // by size class; the last used one first
  size_t bytes_ = 0;
};

}  // namespace ospatrol::analysisd
