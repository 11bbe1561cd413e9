#include "fleet.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "product/paths.h"

namespace ospatrol::bench {
namespace {

constexpr size_t kMostSockets = 20'000;  // of about 28,000 ports that the kernel gives away
constexpr size_t kOtherDescriptors = 200;
constexpr size_t kDatagramsPerCall = 64;
constexpr size_t kEventsPerCall = 256;
constexpr int kSharedBuffer = 4 << 20;  // bytes, of a socket that several agents share

// Room for the address that a datagram is from or for.
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> bytes{};
};

// 127.0.0.1 and those behind it.
in_addr Address(size_t number) { return {htonl(INADDR_LOOPBACK + static_cast<uint32_t>(number))}; }

sockaddr_in Endpoint(in_addr address, uint16_t port) {
  sockaddr_in endpoint{};
  endpoint.sin_family = AF_INET;
  endpoint.sin_addr = address;
  endpoint.sin_port = htons(port);
  return endpoint;
}

const sockaddr* Generic(const sockaddr_in& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

void SendFrom(in_addr address, msghdr& header, Control& control) {
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  cmsghdr* const part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = IPPROTO_IP;
  part->cmsg_type = IP_PKTINFO;
  part->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  in_pktinfo info{};
  info.ipi_spec_dst = address;
  std::memcpy(CMSG_DATA(part), &info, sizeof info);
}

// Which of our addresses a datagram was sent to.
std::optional<in_addr> ReceivedAt(msghdr& header) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != IPPROTO_IP || part->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo info;
    std::memcpy(&info, CMSG_DATA(part), sizeof info);
    return info.ipi_addr;
  }
  return std::nullopt;
}

// As many as wanted, or as may be.
size_t AllowDescriptors(size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw Error(base::ErrnoText(errno));
  const rlimit raised{wanted, std::max<rlim_t>(wanted, limit.rlim_max)};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) throw Error(base::ErrnoText(errno));
  return limit.rlim_cur;
}

base::Fd OpenSocket(bool shared) {
  base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  const sockaddr_in any = Endpoint({INADDR_ANY}, 0);
  if (!fd || ::setsockopt(fd.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on) != 0 ||
      ::bind(fd.get(), Generic(any), sizeof any) != 0) {
    throw Error(fmt::format("cannot make the socket of an agent: {}", base::ErrnoText(errno)));
  }
  if (shared) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kSharedBuffer, sizeof kSharedBuffer);
  }
  return fd;
}

}  // namespace

FleetSockets::FleetSockets(size_t count, uint16_t port)
    : poll_(::epoll_create1(EPOLL_CLOEXEC)),
      manager_(Endpoint(Address(0), port)),
      received_(kMaxDatagram, '\0') {
  const size_t wanted = std::min(count, kMostSockets) + kOtherDescriptors;
  const size_t sockets = AllowDescriptors(wanted) - kOtherDescriptors;
  shared_by_ = (count + sockets - 1) / sockets;
  for (size_t i = 0; i * shared_by_ < count; ++i) {
    sockets_.push_back(OpenSocket(shared_by_ > 1));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, sockets_.back().get(), &event) != 0) {
      throw Error(fmt::format("epoll: {}", base::ErrnoText(errno)));
    }
  }
}

void FleetSockets::Queue(size_t agent, std::string_view datagram) {
  waiting_.push_back({agent, bytes_.size(), datagram.size()});
  bytes_ += datagram;
  if (waiting_.size() == kDatagramsPerCall) Flush();
}

void FleetSockets::Flush() {
  std::array<mmsghdr, kDatagramsPerCall> headers{};
  std::array<iovec, kDatagramsPerCall> parts{};
  std::array<Control, kDatagramsPerCall> controls{};
  for (size_t begin = 0; begin < waiting_.size();) {
    const size_t socket = waiting_[begin].agent / shared_by_;
    unsigned count = 0;
    while (begin + count < waiting_.size() &&
           waiting_[begin + count].agent / shared_by_ == socket) {
      const Waiting& next = waiting_[begin + count];
      parts[count] = {bytes_.data() + next.offset, next.size};
      msghdr& header = headers[count].msg_hdr;
      header = {};
      header.msg_name = &manager_;
      header.msg_namelen = sizeof manager_;
      header.msg_iov = &parts[count];
      header.msg_iovlen = 1;
      SendFrom(Address(next.agent % shared_by_), header, controls[count]);
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

bool FleetSockets::ReceiveFrom(size_t socket, size_t& agent, std::string_view& datagram) {
  for (;;) {
    Control control;
    iovec part{received_.data(), received_.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes.data();
    header.msg_controllen = control.bytes.size();
    const ssize_t size = ::recvmsg(sockets_[socket].get(), &header, 0);
    if (size <= 0) return false;
    const auto address = ReceivedAt(header);
    const size_t number = address ? ntohl(address->s_addr) - INADDR_LOOPBACK : shared_by_;
    if (number >= shared_by_) continue;
    agent = socket * shared_by_ + number;
    datagram = std::string_view(received_).substr(0, static_cast<size_t>(size));
    return true;
  }
}

bool FleetSockets::Receive(int wait_ms, size_t& agent, std::string_view& datagram) {
  for (;;) {
    while (!readable_.empty()) {
      if (ReceiveFrom(readable_.back(), agent, datagram)) return true;
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
