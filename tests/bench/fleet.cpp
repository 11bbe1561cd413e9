#include "fleet.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/files.h"
#include "product/paths.h"

namespace ospatrol::bench {
namespace {

constexpr size_t kPortsPerAddress = 20'000;  // of about 28,000 that the kernel gives away
constexpr size_t kOtherDescriptors = 200;
constexpr size_t kDatagramsPerCall = 64;
constexpr size_t kEventsPerCall = 256;

sockaddr_in Loopback(uint32_t last, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + last);
  address.sin_port = htons(port);
  return address;
}

const sockaddr* Generic(const sockaddr_in& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

void AllowDescriptors(size_t count) {
  const rlimit limit{count, count};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw Error(fmt::format("{} descriptors are needed: {}", count, base::ErrnoText(errno)));
  }
}

base::Fd ConnectFrom(uint32_t address, uint16_t port) {
  base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in from = Loopback(address, 0), to = Loopback(0, port);
  if (!fd || ::bind(fd.get(), Generic(from), sizeof from) != 0 ||
      ::connect(fd.get(), Generic(to), sizeof to) != 0) {
    throw Error(fmt::format("cannot make the socket of an agent: {}", base::ErrnoText(errno)));
  }
  return fd;
}

}  // namespace

FleetSockets::FleetSockets(size_t count, uint16_t port)
    : poll_(::epoll_create1(EPOLL_CLOEXEC)), received_(kMaxDatagram, '\0') {
  AllowDescriptors(count + kOtherDescriptors);
  for (size_t i = 0; i < count; ++i) {
    sockets_.push_back(ConnectFrom(static_cast<uint32_t>(i / kPortsPerAddress), port));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, sockets_.back().get(), &event) != 0) {
      throw Error(fmt::format("epoll: {}", base::ErrnoText(errno)));
    }
  }
}

void FleetSockets::Queue(size_t socket, std::string_view datagram) {
  waiting_.push_back({socket, bytes_.size(), datagram.size()});
  bytes_ += datagram;
  if (waiting_.size() == kDatagramsPerCall) Flush();
}

void FleetSockets::Flush() {
  std::array<mmsghdr, kDatagramsPerCall> headers{};
  std::array<iovec, kDatagramsPerCall> parts{};
  for (size_t begin = 0; begin < waiting_.size();) {
    const size_t socket = waiting_[begin].socket;
    unsigned count = 0;
    while (begin + count < waiting_.size() && waiting_[begin + count].socket == socket) {
      const Waiting& next = waiting_[begin + count];
      parts[count] = {bytes_.data() + next.offset, next.size};
      headers[count].msg_hdr = {};
      headers[count].msg_hdr.msg_iov = &parts[count];
      headers[count].msg_hdr.msg_iovlen = 1;
      ++count;
    }
    const int done = ::sendmmsg(sockets_[socket].get(), headers.data(), count, 0);
    if (done > 0) {
      begin += static_cast<size_t>(done);
      sent_ += static_cast<uint64_t>(done);
    } else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED) {
      throw Error(fmt::format("cannot send: {}", base::ErrnoText(errno)));
    }
  }
  waiting_.clear();
  bytes_.clear();
}

bool FleetSockets::Receive(int wait_ms, size_t& socket, std::string_view& datagram) {
  for (;;) {
    while (!readable_.empty()) {
      socket = readable_.back();
      const ssize_t size = ::recv(sockets_[socket].get(), received_.data(), received_.size(), 0);
      if (size > 0) {
        datagram = std::string_view(received_).substr(0, static_cast<size_t>(size));
        return true;
      }
      readable_.pop_back();
    }
    std::array<epoll_event, kEventsPerCall> events{};
    const int count =
        ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), wait_ms);
    if (count <= 0) return false;
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      readable_.push_back(static_cast<uint32_t>(events[i].data.u64));
    }
    wait_ms = 0;
  }
}

void Fleet::AddPrepared(size_t agent, std::string_view datagram) {
  prepared_.push_back({agent, prepared_bytes_.size(), datagram.size()});
  prepared_bytes_ += datagram;
}

void Fleet::ClearPrepared() {
  prepared_.clear();
  prepared_bytes_.clear();
  pumped_ = 0;
}

size_t Fleet::Pump(size_t datagrams) {
  const std::string_view bytes = prepared_bytes_;
  for (; datagrams > 0 && pumped_ < prepared_.size(); --datagrams, ++pumped_) {
    const Prepared& next = prepared_[pumped_];
    sockets_.Queue(next.agent, bytes.substr(next.offset, next.size));
  }
  sockets_.Flush();
  return prepared_.size() - pumped_;
}

std::string MergedFileOf(const std::filesystem::path& prefix) {
  return base::ReadFileIfPresent(Home(prefix) / paths::kMergedFile).value_or("");
}

}  // namespace ospatrol::bench
