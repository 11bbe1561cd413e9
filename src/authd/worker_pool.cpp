#include "authd/worker_pool.h"

#include <csignal>

#include "base/error.h"
#include "log/log.h"

namespace ospatrol::authd {

namespace {

constexpr std::chrono::milliseconds kPollPause{10};

// Signals are for the daemon's thread; a new thread inherits what is blocked here.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

// What one connection throws must not end the others.
void RunToEnd(daemon::EventLoop& loop) {
  for (bool ended = false; !ended;) {
    try {
      loop.Run();
      ended = true;
    } catch (const std::exception& error) {
      log::Write<msg::kUnexpected>(error.what());
    }
  }
}

}  // namespace

WorkerPool::WorkerPool(size_t threads) {
  const BlockedSignals blocked;
  for (size_t i = 0; i < threads; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    Worker& worker = *workers_.back();
    worker.thread = std::thread([&worker] {
      RunToEnd(worker.loop);
      worker.connections.clear();
    });
  }
}

WorkerPool::~WorkerPool() {
  for (const auto& worker : workers_) worker->loop.Stop();
  for (const auto& worker : workers_) worker->thread.join();
}

void WorkerPool::Serve(std::shared_ptr<const Service> service, const tls::Context& context,
                       base::Fd socket, const secure::PeerAddress& peer) {
  ++active_;
  Worker& worker = *workers_[next_ % workers_.size()];
  // A task must be copyable; a descriptor is not.
  auto shared = std::make_shared<base::Fd>(std::move(socket));
  worker.loop.Post([this, &worker, number = next_, service = std::move(service), context, shared,
                    peer] { Start(worker, number, service, context, std::move(*shared), peer); });
  ++next_;
}

void WorkerPool::Start(Worker& worker, uint64_t number, std::shared_ptr<const Service> service,
                       const tls::Context& context, base::Fd socket,
                       const secure::PeerAddress& peer) {
  const auto done = [this, &worker, number] {
    worker.loop.Post([this, &worker, number] {
      worker.connections.erase(number);
      --active_;
    });
  };
  try {
    worker.connections.emplace(
        number, std::make_unique<Connection>(worker.loop, std::move(service), context,
                                             std::move(socket), peer, done));
  } catch (const Error& error) {
    log::Write<msg::kUnexpected>(error.what());
    --active_;
  }
}

void WorkerPool::Drain(std::chrono::milliseconds patience) {
  for (const auto& worker : workers_) {
    worker->loop.Post([&connections = worker->connections] {
      for (const auto& [number, connection] : connections) connection->Finish();
    });
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (active_ > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kPollPause);
  }
}

}  // namespace ospatrol::authd
