// The threads that work on events. A portion of events is cut into chunks, and each chunk is
//   decoded    on any thread,
//   judged     on the calling thread, in order,
//   recorded   on any thread: what it caused becomes text,
//   collected  on the calling thread, in order.
// One hand-over costs as much as a lock, and there are two a chunk, not two an event. Between
// portions nothing is in flight.
//
// The caller decodes and records, too, whenever what it needs is not ready: with one thread there
// is no crew and no hand-over at all.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace ospatrol::analysisd {

class ChunkCrew {
 public:
  // Chunks in flight, decoded and not yet collected: the memory of so many is used again and again.
  static constexpr size_t kSlots = 8;

  // None of these may throw.
  class Work {
   public:
    virtual ~Work() = default;
    virtual void Decode(size_t chunk, size_t slot) = 0;
    virtual void Judge(size_t chunk, size_t slot) = 0;
    virtual void Record(size_t chunk, size_t slot) = 0;
    // The slot is free afterwards.
    virtual void Collect(size_t chunk, size_t slot) = 0;
  };

  // `threads` includes the one that calls Run. Throws std::system_error.
  explicit ChunkCrew(size_t threads);
  ~ChunkCrew();
  ChunkCrew(const ChunkCrew&) = delete;
  ChunkCrew& operator=(const ChunkCrew&) = delete;

  // Returns when all chunks are collected. One call at a time.
  void Run(size_t chunks, Work& work);

  size_t threads() const { return workers_.size() + 1; }

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Step = void (Work::*)(size_t chunk, size_t slot);

  bool CanDecode() const { return decoding_ < chunks_ && decoding_ < collected_ + kSlots; }
  bool CanRecord() const { return recording_ < judged_; }
  bool HasWork() const { return work_ != nullptr && (CanDecode() || CanRecord()); }
  // Without the lock while it works.
  void Do(Step step, size_t chunk, Lock& lock);
  // Decodes or records the next chunk. REQUIRES: HasWork().
  void Help(Lock& lock);
  void WorkUntilStopped();
  void Stop();

  std::mutex mutex_;
  std::condition_variable work_waits_, chunk_ready_;
  Work* work_ = nullptr;
  // How many chunks were given out to be decoded, were judged, given out to be recorded, collected.
  size_t chunks_ = 0, decoding_ = 0, judged_ = 0, recording_ = 0, collected_ = 0;
  std::array<bool, kSlots> decoded_{}, recorded_{};
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace ospatrol::analysisd
