#include "analysisd/decode_crew.h"

namespace ospatrol::analysisd {

DecodeCrew::DecodeCrew(size_t threads) {
  try {
    while (workers_.size() + 1 < threads) workers_.emplace_back([this] { WorkUntilStopped(); });
  } catch (...) {
    Stop();
    throw;
  }
}

DecodeCrew::~DecodeCrew() { Stop(); }

void DecodeCrew::Stop() {
  {
    const Lock lock(mutex_);
    stop_ = true;
  }
  work_waits_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void DecodeCrew::Run(size_t chunks, Work& work) {
  if (workers_.empty() || chunks < 2) {
    for (size_t chunk = 0; chunk < chunks; ++chunk) {
      work.Decode(chunk, 0);
      work.Judge(chunk, 0);
    }
    return;
  }
  Lock lock(mutex_);
  work_ = &work;
  chunks_ = chunks;
  claimed_ = judged_ = 0;
  work_waits_.notify_all();
  for (; judged_ < chunks; ++judged_) {
    const size_t slot = judged_ % kSlots;
    while (!decoded_[slot]) {
      if (CanClaim()) {
        DecodeNext(lock);
      } else {
        chunk_decoded_.wait(lock);
      }
    }
    lock.unlock();
    work.Judge(judged_, slot);
    lock.lock();
    decoded_[slot] = false;
    if (claimed_ < chunks_) work_waits_.notify_one();
  }
  work_ = nullptr;
}

void DecodeCrew::DecodeNext(Lock& lock) {
  const size_t chunk = claimed_++;
  const size_t slot = chunk % kSlots;
  Work& work = *work_;
  lock.unlock();
  work.Decode(chunk, slot);
  lock.lock();
  decoded_[slot] = true;
}

void DecodeCrew::WorkUntilStopped() {
  Lock lock(mutex_);
  for (;;) {
    work_waits_.wait(lock, [this] { return stop_ || CanClaim(); });
    if (stop_) return;
    DecodeNext(lock);
    chunk_decoded_.notify_one();
  }
}

}  // namespace ospatrol::analysisd
