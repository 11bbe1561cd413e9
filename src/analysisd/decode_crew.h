// The threads that decode. A portion of events is cut into chunks; the crew decodes them on all of
// its threads while the calling one judges them in order. One hand-over costs as much as a lock,
// and there is one a chunk, not one an event. Between portions nothing is in flight.
//
// The caller decodes too whenever the chunk that it needs is not ready: with one thread there is no
// crew and no hand-over at all.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace ospatrol::analysisd {

class DecodeCrew {
 public:
  // Chunks in flight, decoded and not yet judged: the memory of so many is used again and again.
  static constexpr size_t kSlots = 8;

  class Work {
   public:
    virtual ~Work() = default;
    // On any thread of the crew, several chunks at a time. Must not throw.
    virtual void Decode(size_t chunk, size_t slot) = 0;
    // On the thread that called Run, chunks in order; the slot is free afterwards. Must not throw.
    virtual void Judge(size_t chunk, size_t slot) = 0;
  };

  // `threads` includes the one that calls Run. Throws std::system_error.
  explicit DecodeCrew(size_t threads);
  ~DecodeCrew();
  DecodeCrew(const DecodeCrew&) = delete;
  DecodeCrew& operator=(const DecodeCrew&) = delete;

  // Returns when all chunks are judged. One call at a time.
  void Run(size_t chunks, Work& work);

  size_t threads() const { return workers_.size() + 1; }

 private:
  using Lock = std::unique_lock<std::mutex>;

  bool CanClaim() const {
    return work_ != nullptr && claimed_ < chunks_ && claimed_ < judged_ + kSlots;
  }
  void DecodeNext(Lock& lock);
  void WorkUntilStopped();
  void Stop();

  std::mutex mutex_;
  std::condition_variable work_waits_, chunk_decoded_;
  Work* work_ = nullptr;
  size_t chunks_ = 0, claimed_ = 0, judged_ = 0;
  bool decoded_[kSlots] = {};
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace ospatrol::analysisd
