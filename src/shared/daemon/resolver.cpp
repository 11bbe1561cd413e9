#include "daemon/resolver.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <exception>
#include <map>
#include <utility>

#include "base/fd.h"
#include "base/files.h"
#include "daemon/daemonise.h"
#include "daemon/resolver_protocol.h"
#include "log/log.h"

namespace ospatrol::daemon {

namespace {

constexpr size_t kMostWaiting = 1000;
constexpr size_t kMostInFlight = 16;  // so that a send to the child never finds its socket full

constexpr Program kChild{.name = "ospatrol-dns",  // 15 bytes is what the kernel shows
                         .user = product::kUser,
                         .chroot = false,
                         .keep_caps = programs::kNoCapabilities,
                         .no_new_privileges = true};

// The child lives as long as its socket, not as long as a signal to the group of processes lets it.
void IgnoreSignals() {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM}) signal(number, SIG_IGN);
}

// Keeps nothing of the parent but `socket`, under a number of its own choice.
int KeepOnly(base::Fd socket) {
  constexpr int kSocket = STDERR_FILENO + 1;
  if (socket.get() == kSocket) {
    socket.Release();
  } else {
    dup2(socket.get(), kSocket);
    socket.reset();
  }
  close_range(kSocket + 1, ~0U, 0);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    SilenceDescriptor(descriptor);
  }
  return kSocket;
}

[[noreturn]] void RunChild(const Identity& identity, pid_t parent, base::Fd socket) {
  try {
    IgnoreSignals();
    prctl(PR_SET_NAME, kChild.name.data(), 0, 0, 0);
    if (chdir("/") != 0) _exit(1);
    if (geteuid() == 0) {
      BecomeProgram(kChild, identity, "/");
    } else {
      ForbidNewPrivileges();
    }
    RestrictSystemCalls(Execution::kForbidden);
    // A change of identity clears it, so it comes last; the parent may be gone already.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) _exit(0);
    ServeResolver(KeepOnly(std::move(socket)));
  } catch (const std::exception& error) {
    log::WriteLine(0, log::Level::kError, error.what());
  }
  _exit(1);
}

}  // namespace

struct Resolver::Impl {
  struct Waiting {
    std::string name;
    Callback callback;
  };

  void Send();
  void Receive();
  void ChildIsGone();
  void EndChild();
  void Later(Callback callback, std::vector<std::string> addresses);

  pid_t child = -1;
  base::Fd socket;
  EventLoop* loop = nullptr;
  EventLoop::Registration readable;
  uint32_t last_id = 0;
  std::map<uint32_t, Callback> in_flight;
  std::deque<Waiting> waiting;
  // Tasks posted to the loop hold it weakly: they must not run when the resolver is gone.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

void Resolver::Impl::Later(Callback callback, std::vector<std::string> addresses) {
  loop->Post([weak = std::weak_ptr<bool>(alive), callback = std::move(callback),
              addresses = std::move(addresses)] {
    if (!weak.expired()) callback(addresses);
  });
}

void Resolver::Impl::Send() {
  while (socket && !waiting.empty() && in_flight.size() < kMostInFlight) {
    Waiting next = std::move(waiting.front());
    waiting.pop_front();
    const std::string message = Encode(Question{++last_id, std::move(next.name)});
    const ssize_t sent =
        send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      Later(std::move(next.callback), {});
    } else {
      in_flight.emplace(last_id, std::move(next.callback));
    }
  }
}

// One message a call: a callback may destroy the resolver, and the loop calls again when there is
// more.
void Resolver::Impl::Receive() {
  std::array<char, kLongestResolverMessage> space{};
  const ssize_t got = recv(socket.get(), space.data(), space.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    ChildIsGone();
    return;
  }
  const auto answer = ParseAnswer(std::string_view(space.data(), static_cast<size_t>(got)));
  if (!answer) return;
  const auto found = in_flight.find(answer->id);
  if (found == in_flight.end()) return;
  const Callback callback = std::move(found->second);
  in_flight.erase(found);
  Send();
  callback(answer->addresses);
}

void Resolver::Impl::ChildIsGone() {
  log::Write<msg::kResolverGone>();
  readable.reset();
  socket.reset();
  EndChild();
  for (auto& [id, callback] : std::exchange(in_flight, {})) Later(std::move(callback), {});
  for (Waiting& one : std::exchange(waiting, {})) Later(std::move(one.callback), {});
}

// It does not end by itself while all its threads wait for silent servers. It has our identity, so
// the signal is permitted; its pid stays its own until we have waited for it.
void Resolver::Impl::EndChild() {
  const pid_t ended = std::exchange(child, -1);
  if (ended > 0 && kill(ended, SIGKILL) == 0) waitpid(ended, nullptr, 0);
}

Resolver::Resolver(const Identity& identity) : impl_(std::make_unique<Impl>()) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw log::Fatal<msg::kForkFailed>(base::ErrnoText(errno));
  }
  impl_->socket = base::Fd(ends[0]);
  base::Fd child_end(ends[1]);
  const pid_t parent = getpid();
  impl_->child = fork();
  if (impl_->child < 0) throw log::Fatal<msg::kForkFailed>(base::ErrnoText(errno));
  if (impl_->child == 0) {
    impl_->socket.reset();
    RunChild(identity, parent, std::move(child_end));
  }
}

Resolver::~Resolver() {
  impl_->readable.reset();
  impl_->socket.reset();
  impl_->EndChild();
}

void Resolver::Attach(EventLoop& loop) {
  impl_->loop = &loop;
  impl_->readable =
      loop.WatchReadable(impl_->socket.get(), [impl = impl_.get()] { impl->Receive(); });
}

void Resolver::Resolve(const std::string& name, Callback callback) {
  if (!impl_->socket || !IsResolvableName(name) || impl_->waiting.size() >= kMostWaiting) {
    impl_->Later(std::move(callback), {});
    return;
  }
  impl_->waiting.push_back({name, std::move(callback)});
  impl_->Send();
}

}  // namespace ospatrol::daemon
