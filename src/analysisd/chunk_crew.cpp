#include "analysisd/chunk_crew.h"

namespace ospatrol::analysisd {

ChunkCrew::ChunkCrew(size_t threads) {
  try {
    while (workers_.size() + 1 < threads) workers_.emplace_back([this] { WorkUntilStopped(); });
  } catch (...) {
    Stop();
    throw;
  }
}

ChunkCrew::~ChunkCrew() { Stop(); }

void ChunkCrew::Stop() {
  {
    const Lock lock(mutex_);
    stop_ = true;
  }
  work_waits_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void ChunkCrew::Run(size_t chunks, Work& work) {
  if (workers_.empty() || chunks < 2) {
    for (size_t chunk = 0; chunk < chunks; ++chunk) {
      work.Decode(chunk, 0);
      work.Judge(chunk, 0);
      work.Record(chunk, 0);
      work.Collect(chunk, 0);
    }
    return;
  }
  Lock lock(mutex_);
  work_ = &work;
  chunks_ = chunks;
  decoding_ = judged_ = recording_ = collected_ = 0;
  work_waits_.notify_all();
  while (collected_ < chunks) {
    if (recorded_[collected_ % kSlots]) {
      recorded_[collected_ % kSlots] = false;
      Do(&Work::Collect, collected_, lock);
      ++collected_;
    } else if (decoded_[judged_ % kSlots]) {
      decoded_[judged_ % kSlots] = false;
      Do(&Work::Judge, judged_, lock);
      ++judged_;
    } else if (HasWork()) {
      Help(lock);
      continue;
    } else {
      chunk_ready_.wait(lock);
      continue;
    }
    if (HasWork()) work_waits_.notify_one();
  }
  work_ = nullptr;
}

void ChunkCrew::Do(Step step, size_t chunk, Lock& lock) {
  Work& work = *work_;
  lock.unlock();
  (work.*step)(chunk, chunk % kSlots);
  lock.lock();
}

// Judging is what nobody can help with: it must not wait for a chunk to be decoded.
void ChunkCrew::Help(Lock& lock) {
  const bool judge_waits = decoding_ <= judged_ + 1;
  if (CanDecode() && (judge_waits || !CanRecord())) {
    const size_t chunk = decoding_++;
    Do(&Work::Decode, chunk, lock);
    decoded_[chunk % kSlots] = true;
  } else {
    const size_t chunk = recording_++;
    Do(&Work::Record, chunk, lock);
    recorded_[chunk % kSlots] = true;
  }
}

void ChunkCrew::WorkUntilStopped() {
  Lock lock(mutex_);
  for (;;) {
    work_waits_.wait(lock, [this] { return stop_ || HasWork(); });
    if (stop_) return;
    Help(lock);
    chunk_ready_.notify_one();
  }
}

}  // namespace ospatrol::analysisd
