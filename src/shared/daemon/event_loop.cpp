// Every registration owns a shared state which a pending operation keeps alive too: a callback may
// destroy its own registration, and what it captured stays valid until it returns.
#include "daemon/event_loop.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"

namespace ospatrol::daemon {

namespace {

using Descriptor = asio::posix::stream_descriptor;

// State is one of the classes below: Arm() begins to wait, End() stops it.
template <typename State>
class Owner : public EventLoop::Handle {
 public:
  explicit Owner(std::shared_ptr<State> state) : state_(std::move(state)) { state_->Arm(); }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() override { state_->End(); }

 private:
  std::shared_ptr<State> state_;
};

template <typename State, typename... Args>
EventLoop::Registration Register(Args&&... args) {
  return std::make_unique<Owner<State>>(std::make_shared<State>(std::forward<Args>(args)...));
}

class Watch : public std::enable_shared_from_this<Watch> {
 public:
  // Works on a duplicate: the same descriptor can be watched for reading and for writing, and Asio
  // closes only its own.
  Watch(asio::io_context& context, base::Fd duplicate, Descriptor::wait_type kind,
        std::function<void()> callback)
      : descriptor_(context, duplicate.get()), kind_(kind), callback_(std::move(callback)) {
    duplicate.Release();
  }

  void Arm() {
    descriptor_.async_wait(kind_, [self = shared_from_this()](const asio::error_code& error) {
      if (!self->active_ || error) return;
      self->callback_();
      if (self->active_) self->Arm();
    });
  }

  void End() {
    active_ = false;
    asio::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  Descriptor descriptor_;
  Descriptor::wait_type kind_;
  std::function<void()> callback_;
  bool active_ = true;
};

enum class Repeat { kOnce, kForever };

class Timer : public std::enable_shared_from_this<Timer> {
 public:
  Timer(asio::io_context& context, std::chrono::milliseconds interval, Repeat repeat,
        std::function<void()> callback)
      : timer_(context, interval),
        interval_(interval),
        repeat_(repeat),
        callback_(std::move(callback)) {}

  void Arm() {
    timer_.async_wait([self = shared_from_this()](const asio::error_code& error) {
      if (!self->active_ || error) return;
      self->callback_();
      if (self->active_ && self->repeat_ == Repeat::kForever) self->Next();
    });
  }

  void End() {
    active_ = false;
    timer_.cancel();
  }

 private:
  void Next() {
    const auto now = asio::steady_timer::clock_type::now();
    const auto planned = timer_.expiry() + interval_;
    timer_.expires_at(planned > now ? planned : now + interval_);
    Arm();
  }

  asio::steady_timer timer_;
  std::chrono::milliseconds interval_;
  Repeat repeat_;
  std::function<void()> callback_;
  bool active_ = true;
};

class SignalWatch : public std::enable_shared_from_this<SignalWatch> {
 public:
  SignalWatch(asio::io_context& context, int signal, std::function<void()> callback)
      : signals_(context, signal), callback_(std::move(callback)) {}

  void Arm() {
    signals_.async_wait([self = shared_from_this()](const asio::error_code& error, int) {
      if (!self->active_ || error) return;
      self->callback_();
      if (self->active_) self->Arm();
    });
  }

  void End() {
    active_ = false;
    asio::error_code ignored;
    signals_.clear(ignored);
    signals_.cancel(ignored);
  }

 private:
  asio::signal_set signals_;
  std::function<void()> callback_;
  bool active_ = true;
};

base::Fd Duplicate(int fd) {
  struct stat facts {};
  base::Fd duplicate(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!duplicate || fstat(fd, &facts) != 0) {
    throw Error(fmt::format("cannot wait for descriptor {}: {}", fd, base::ErrnoText(errno)));
  }
  if (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode)) {
    throw Error(fmt::format("cannot wait for descriptor {}: it is a file or directory", fd));
  }
  return duplicate;
}

}  // namespace

struct EventLoop::Impl {
  asio::io_context context{1};
  // Without it the loop would end when nothing is registered.
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::Run() {
  impl_->context.run();
  impl_->context.restart();
}

void EventLoop::Stop() { impl_->context.stop(); }

EventLoop::Registration EventLoop::WatchReadable(int fd, std::function<void()> callback) {
  return Register<Watch>(impl_->context, Duplicate(fd), Descriptor::wait_read, std::move(callback));
}

EventLoop::Registration EventLoop::WatchWritable(int fd, std::function<void()> callback) {
  return Register<Watch>(impl_->context, Duplicate(fd), Descriptor::wait_write,
                         std::move(callback));
}

EventLoop::Registration EventLoop::Every(std::chrono::milliseconds interval,
                                         std::function<void()> callback) {
  return Register<Timer>(impl_->context, interval, Repeat::kForever, std::move(callback));
}

EventLoop::Registration EventLoop::After(std::chrono::milliseconds delay,
                                         std::function<void()> callback) {
  return Register<Timer>(impl_->context, delay, Repeat::kOnce, std::move(callback));
}

EventLoop::Registration EventLoop::OnSignal(int signal, std::function<void()> callback) {
  return Register<SignalWatch>(impl_->context, signal, std::move(callback));
}

void EventLoop::Post(std::function<void()> task) { asio::post(impl_->context, std::move(task)); }

void EventLoop::AfterFork() { impl_->context.notify_fork(asio::io_context::fork_child); }

}  // namespace ospatrol::daemon
