#include "sender.h"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <limits>
#include <random>

#include "base/error.h"
#include "base/fd.h"
#include "base/files.h"
#include "ipc/frame.h"
#include "ipc/stream.h"
#include "ipc/unix_socket.h"
#include "product/paths.h"

namespace ospatrol::bench {
namespace {

constexpr size_t kDatagramsPerCall = 32;
constexpr int kSendBuffer = 4 * 1024 * 1024;
constexpr int kPace = 2;  // milliseconds between looks at the clock, with a rate
constexpr int kPatience = 60'000;

ipc::SenderId NewSenderId() {
  std::random_device random;
  ipc::SenderId id{};
  for (uint8_t& byte : id) byte = static_cast<uint8_t>(random());
  return id;
}

// Blocking, unlike those of the product: a full queue is then waited for in the kernel, without
// further calls.
base::Fd ConnectQueue(const std::filesystem::path& path) {
  base::Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
  sockaddr generic{};
  static_assert(sizeof(generic) <= sizeof(address));
  if (fd && ::connect(fd.get(), static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                      sizeof(address)) != 0) {
    fd.reset();
  }
  if (fd) ipc::GrowSendBuffer(fd.get(), kSendBuffer);
  return fd;
}

}  // namespace

void PinThread(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw Error(fmt::format("cannot run on the processors asked for: {}", base::ErrnoText(errno)));
  }
}

Sender::Sender(const Lines& lines, const std::filesystem::path& home, SenderOptions options)
    : lines_(lines), home_(home), options_(std::move(options)) {}

Sender::~Sender() {
  stop_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Sender::Start(uint64_t first, uint64_t count) {
  for (int i = 0; i < options_.connections; ++i) {
    threads_.emplace_back([this, i, first, count] { Run(i, first, first + count); });
  }
}

void Sender::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  if (failed_) throw Error("analysisd closed the connection, or answered nothing for a minute");
}

void Sender::Run(int connection, uint64_t first, uint64_t end) {
  PinThread(options_.cpus);
  if (options_.socket == Socket::kStream) {
    RunStream(connection, first, end);
  } else {
    RunQueue(connection, first, end);
  }
}

uint64_t Sender::Due(double began) const {
  if (options_.rate <= 0) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>((MonotonicSeconds() - began) * options_.rate / options_.connections);
}

void Sender::RunStream(int connection, uint64_t first, uint64_t end) {
  ipc::StreamSender stream(Home(home_) / paths::kEventStream);
  if (!stream.Connect()) {
    failed_ = true;
    return;
  }
  const ipc::SenderId id = NewSenderId();
  const auto step = static_cast<uint64_t>(options_.connections);
  const double began = MonotonicSeconds();
  ipc::FrameBuilder builder;
  std::deque<uint64_t> taken;
  uint64_t number = 0, answered = 0;
  uint64_t event = first + static_cast<uint64_t>(connection);
  while (event < end || stream.unanswered() > 0) {
    bool waits_for_clock = false;
    while (event < end && stream.CanAccept() && !stop_) {
      const uint64_t due = Due(began);
      while (event < end && number < due &&
             (options_.batch == 0 || builder.events() < options_.batch) &&
             builder.Add(id, number + 1, lines_.message(event))) {
        ++number;
        event += step;
      }
      waits_for_clock = number >= due;
      if (builder.empty()) break;
      sent_ += builder.events();
      stream.Submit(builder, number);
      if (waits_for_clock) break;
    }
    if (stop_) event = end;
    if (!stream.Pump(taken)) {
      failed_ = true;
      return;
    }
    for (const uint64_t last : taken) {
      taken_ += last - answered;
      answered = last;
    }
    taken.clear();
    const bool idle = stream.unanswered() == 0 && !waits_for_clock;
    if (idle || (event < end && !waits_for_clock && stream.CanAccept())) continue;
    pollfd ready{stream.fd(), static_cast<short>(POLLIN | (stream.WantsWrite() ? POLLOUT : 0)), 0};
    if (::poll(&ready, 1, waits_for_clock ? kPace : kPatience) == 0 && !waits_for_clock) {
      failed_ = true;
      return;
    }
  }
}

void Sender::RunQueue(int connection, uint64_t first, uint64_t end) {
  const base::Fd fd = ConnectQueue(Home(home_) / paths::kEventQueue);
  if (!fd) {
    failed_ = true;
    return;
  }
  const auto step = static_cast<uint64_t>(options_.connections);
  const double began = MonotonicSeconds();
  std::array<mmsghdr, kDatagramsPerCall> headers{};
  std::array<std::array<iovec, 2>, kDatagramsPerCall> parts{};
  char nul = '\0';
  uint64_t number = 0;
  uint64_t event = first + static_cast<uint64_t>(connection);
  while (event < end && !stop_) {
    const uint64_t due = Due(began);
    size_t count = 0;
    for (uint64_t next = event; count < kDatagramsPerCall && next < end && number + count < due;
         next += step) {
      const std::string_view message = lines_.message(next);
      // iovec is not const-correct; sendmmsg only reads.
      parts[count] = {{{const_cast<char*>(message.data()), message.size()}, {&nul, 1}}};
      headers[count].msg_hdr.msg_iov = parts[count].data();
      headers[count].msg_hdr.msg_iovlen = 2;
      ++count;
    }
    if (count == 0) {
      ::poll(nullptr, 0, kPace);
      continue;
    }
    const int done = ::sendmmsg(fd.get(), headers.data(), static_cast<unsigned>(count), 0);
    if (done < 0) {
      if (errno == EINTR || errno == EAGAIN || errno == ENOBUFS) continue;
      failed_ = true;
      return;
    }
    number += static_cast<uint64_t>(done);
    event += static_cast<uint64_t>(done) * step;
    sent_ += static_cast<uint64_t>(done);
    taken_ += static_cast<uint64_t>(done);
  }
}

bool Sender::SendOne(const std::filesystem::path& home, const std::string& message) {
  const base::Fd fd = ConnectQueue(Home(home) / paths::kEventQueue);
  return fd && ::send(fd.get(), message.c_str(), message.size() + 1, MSG_NOSIGNAL) >= 0;
}

}  // namespace ospatrol::bench
