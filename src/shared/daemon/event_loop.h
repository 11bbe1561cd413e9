// The event loop of every daemon: descriptors, timers, signals. Asio behind it, compiled once in
// asio_impl.cpp.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace ospatrol::daemon {

class EventLoop {
 public:
  // Keeps a registration alive; destroying it ends the callbacks, also from inside its own
  // callback. Must be destroyed before the loop.
  class Handle {
   public:
    virtual ~Handle() = default;
  };
  using Registration = std::unique_ptr<Handle>;

  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // Runs until Stop(), at once back when Stop() was called before. Callbacks run on this thread,
  // one at a time; what one throws leaves Run(). May be called again.
  void Run();
  void Stop();  // from a callback or another thread

  // `callback` runs each time `fd` is readable / writable (level-triggered), end of file and errors
  // included. The caller keeps `fd` open while registered; it becomes non-blocking. Throws Error
  // for what cannot be waited for (plain files).
  [[nodiscard]] Registration WatchReadable(int fd, std::function<void()> callback);
  [[nodiscard]] Registration WatchWritable(int fd, std::function<void()> callback);

  // Every `interval` (> 0) of the monotonic clock; times that were missed are not made up for.
  [[nodiscard]] Registration Every(std::chrono::milliseconds interval,
                                   std::function<void()> callback);
  // Once.
  [[nodiscard]] Registration After(std::chrono::milliseconds delay, std::function<void()> callback);

  [[nodiscard]] Registration OnSignal(int signal, std::function<void()> callback);

  // Runs `task` soon on the loop's thread; thread-safe.
  void Post(std::function<void()> task);

  // In a child after fork(), before anything else: the child's loop is no longer tied to the
  // parent's.
  void AfterFork();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ospatrol::daemon
