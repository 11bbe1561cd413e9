// The event loop of every daemon: descriptors, timers, signals. Asio behind it, compiled once in event_loop.cpp.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace ospatrol::daemon {

class EventLoop {
 public:
  // Keeps a registration alive; destroying it ends the callbacks.
  class Handle {
   public:
    virtual ~Handle() = default;
  };
  using Registration = std::unique_ptr<Handle>;

  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // Runs until Stop(). Callbacks run on this thread, one at a time.
  void Run();
  void Stop();  // from a callback or another thread

  // `callback` runs each time `fd` is readable / writable (level-triggered). The caller keeps `fd` open while registered.
  [[nodiscard]] Registration WatchReadable(int fd, std::function<void()> callback);
  [[nodiscard]] Registration WatchWritable(int fd, std::function<void()> callback);

  // Every `interval` of the monotonic clock.
  [[nodiscard]] Registration Every(std::chrono::milliseconds interval, std::function<void()> callback);
  // Once.
  [[nodiscard]] Registration After(std::chrono::milliseconds delay, std::function<void()> callback);

  [[nodiscard]] Registration OnSignal(int signal, std::function<void()> callback);

  // Runs `task` soon on the loop's thread; thread-safe.
  void Post(std::function<void()> task);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ospatrol::daemon
