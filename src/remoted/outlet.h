// The way to analysisd: events of all receivers in one order, in frames on queue/ospatrol/stream
// (wire-protocol 6.1). Where there is no `stream`, as datagrams on queue/ospatrol/queue, which
// answers nothing.
//
// A thread of its own, so that a slow analysisd never keeps a receiver from answering a control
// message. Between both lies a bounded queue of finished frames: Offer never waits, it says no.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "ipc/datagram.h"
#include "ipc/frame.h"
#include "ipc/stream.h"

namespace ospatrol::remoted {

class Agent;

class Outlet {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    std::filesystem::path stream, queue;
    size_t most_bytes = size_t{32} << 20;  // of events that wait
    // A receiver that has just been started binds one socket after the other: so long must `queue`
    // have been there without `stream` before it is used.
    std::chrono::milliseconds stream_grace{3000};
  };

  // What analysisd has answered for: all events of a spool of `agent` up to `last`.
  struct Taken {
    std::shared_ptr<Agent> agent;
    ipc::SenderId sender{};
    uint64_t last = 0;
  };
  struct Numbered {
    uint64_t number = 0;
    std::string_view event;
  };
  // Called on the outlet's thread.
  using TakenHook = std::function<void(std::vector<Taken> taken)>;

  Outlet(Options options, TakenHook hook);
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  ~Outlet();

  void Start();
  // Sends what waits, for at most `limit`, and ends the thread. What is left is counted as lost
  // when nobody has it any more.
  void Stop(std::chrono::milliseconds limit);

  // The rest is thread-safe.

  // Events that nobody keeps: of v1 agents and of syslog, numbered here. The number of those
  // that were taken over: a full queue takes the first ones, or none.
  size_t Offer(std::span<const std::string_view> events);

  // Events that their sender keeps until the hook has named their numbers. All or none; they are
  // sent when a frame is full, or after Flush(), which spares waking the thread for each. Numbers
  // up to `last` that are not among `events` count as taken with those before them: nobody wants
  // them. REQUIRES: calls for one sender come in the order of its numbers.
  bool OfferNumbered(const ipc::SenderId& sender, std::span<const Numbered> events, uint64_t last,
                     const std::shared_ptr<Agent>& agent);
  void Flush();

  // Is there room for a full packet of events?
  bool HasRoom() const {
    return waiting_bytes_.load(std::memory_order_relaxed) + ipc::kMaxFrame <= options_.most_bytes;
  }
  bool connected() const { return connected_.load(std::memory_order_relaxed); }
  uint64_t events_taken() const { return events_taken_.load(std::memory_order_relaxed); }

 private:
  struct Load {  // one frame
    ipc::FrameBuilder frame;
    std::vector<Taken> notes;
    size_t bytes = 0;
  };
  struct InFlight {
    uint64_t token = 0;  // of its frame, or of the last one before notes without a frame
    size_t events = 0;
    size_t bytes = 0;
    std::vector<Taken> notes;
  };

  // Under the lock.
  void NoteTaken(const ipc::SenderId& sender, uint64_t last, const std::shared_ptr<Agent>& agent);
  bool Add(const ipc::SenderId& sender, uint64_t number, std::string_view event);
  void Wake();

  // On the thread.
  void Run();
  void WaitForWork();
  void KeepConnected();
  void ConnectStream();
  void ConnectDatagram();
  void PumpStream();
  void PumpDatagrams();
  size_t SendDatagrams(const ipc::Frame& frame);
  void PutBack(const ipc::Frame& frame, size_t sent, Load load);
  std::optional<Load> NextLoad(bool partial_too);
  void Answered(std::vector<Taken> notes, size_t events, size_t bytes);
  void Lost(const std::string& reason);
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  bool IsDrained();

  const Options options_;
  const TakenHook hook_;

  std::mutex mutex_;  // guards the next block
  ipc::SenderId own_id_{};
  uint64_t next_own_ = 1;
  Load building_;
  std::deque<Load> finished_;

  std::atomic<size_t> waiting_bytes_{0};  // built, finished or in flight
  std::atomic<bool> asleep_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> connected_{false};
  std::atomic<uint64_t> events_taken_{0};
  std::atomic<Clock::time_point> deadline_{Clock::time_point::max()};
  base::Fd wake_;
  std::thread thread_;

  // The thread's own.
  ipc::StreamSender stream_;
  ipc::DatagramSender datagram_;
  std::deque<InFlight> in_flight_;
  uint64_t next_token_ = 1;
  Clock::time_point try_again_{};
  std::optional<Clock::time_point> queue_alone_since_, lost_logged_;
};

}  // namespace ospatrol::remoted
