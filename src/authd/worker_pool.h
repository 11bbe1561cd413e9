// Threads that serve connections, each with an event loop of its own. A connection stays on one
// thread; the hand-shakes of many go on at the same time.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "authd/connection.h"

namespace ospatrol::authd {

// REQUIRES: called on one thread, that of the daemon.
class WorkerPool {
 public:
  // Starts the threads.
  explicit WorkerPool(size_t threads);
  // Ends them, connections included.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Gives the connection to the next thread.
  void Serve(std::shared_ptr<const Service> service, const tls::Context& context, base::Fd socket,
             const secure::PeerAddress& peer);

  // Connections that are being served.
  size_t active() const { return active_; }

  // Closes what has not asked yet, and waits at most `patience` for answers on their way.
  void Drain(std::chrono::milliseconds patience);

 private:
  struct Worker {
    daemon::EventLoop loop;
    std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections;  // its thread's
    std::thread thread;
  };

  void Start(Worker& worker, uint64_t number, std::shared_ptr<const Service> service,
             const tls::Context& context, base::Fd socket, const secure::PeerAddress& peer);

  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<size_t> active_ = 0;
  uint64_t next_ = 0;
};

}  // namespace ospatrol::authd
