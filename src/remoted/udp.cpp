#include "remoted/udp.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "log/log.h"

namespace ospatrol::remoted {
namespace {

constexpr size_t kMappedPrefix = 12;  // bytes in front of an IPv4 address
constexpr size_t kControl = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t));

void SetOption(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

pattern::IpAddress Mapped(const in_addr& v4) {
  pattern::IpAddress ip{};
  ip[10] = ip[11] = 0xFF;
  std::memcpy(ip.data() + kMappedPrefix, &v4, sizeof v4);
  return ip;
}

// Beyond net.core.rmem_max as long as this process may: before it gives up being root. The kernel
// doubles what it is given, for its own needs, and tells the double.
size_t GrowReceiveBuffer(int fd, size_t bytes) {
  if (bytes > 0) {
    const int wanted = static_cast<int>(std::min<size_t>(bytes, size_t{1} << 30));
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    }
  }
  int granted = 0;
  socklen_t length = sizeof granted;
  ::getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &length);
  return static_cast<size_t>(granted) / 2;
}

std::optional<base::Fd> TryBind(int family, const UdpBinding& binding, bool shared) {
  base::Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return std::nullopt;
  if (family == AF_INET6) SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (shared) SetOption(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  sockaddr_storage address{};
  const socklen_t length = SocketAddress(family, binding, address);
  if (length == 0) {
    errno = EAFNOSUPPORT;
    return std::nullopt;
  }
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    return std::nullopt;
  }
  return fd;
}

[[noreturn]] void FailBind(uint16_t port) {
  throw log::Fatal<msg::kCannotBindPort>(port, base::ErrnoText(errno));
}

}  // namespace

socklen_t SocketAddress(int family, const UdpBinding& binding, sockaddr_storage& out) {
  if (binding.local_ip) {
    return secure::PeerAddress{*binding.local_ip, binding.port, 0}.ToSockaddr(family, out);
  }
  if (family == AF_INET) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(binding.port);
    std::memcpy(&out, &any, sizeof any);
    return sizeof any;
  }
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(binding.port);
  std::memcpy(&out, &any, sizeof any);
  return sizeof any;
}

std::vector<UdpSocket> BindUdp(const UdpBinding& binding, size_t count) {
  int family = AF_INET6;
  // Sockets that share a port do so with any other process of root, too, and would take packets
  // from each other: a first one, alone, finds out.
  std::optional<base::Fd> alone = TryBind(family, binding, false);
  if (!alone && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
    family = AF_INET;
    alone = TryBind(family, binding, false);
  }
  if (!alone) FailBind(binding.port);
  alone.reset();

  std::vector<UdpSocket> sockets;
  for (size_t i = 0; i < count; ++i) {
    std::optional<base::Fd> fd = TryBind(family, binding, true);
    if (!fd) FailBind(binding.port);
    UdpSocket socket{std::move(*fd), family, 0};
    socket.receive_buffer = GrowReceiveBuffer(socket.fd.get(), binding.receive_buffer);
    SetOption(socket.fd.get(), SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (family == AF_INET6) {
      SetOption(socket.fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    } else {
      SetOption(socket.fd.get(), IPPROTO_IP, IP_PKTINFO, 1);
    }
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

// ---- reading ----------------------------------------------------------------------------------

struct UdpReader::Space {
  std::array<mmsghdr, kMostAtOnce> headers{};
  std::array<iovec, kMostAtOnce> vectors{};
  std::array<sockaddr_storage, kMostAtOnce> names{};
  struct alignas(cmsghdr) Control {
    std::array<char, kControl> bytes;
  };
  std::array<Control, kMostAtOnce> controls;
  std::array<Packet, kMostAtOnce> packets;
  std::unique_ptr<char[]> bytes{new char[kMostAtOnce * kMaxPacket]};
};

UdpReader::UdpReader(const UdpSocket& socket)
    : fd_(socket.fd.get()), space_(std::make_unique<Space>()) {
  for (size_t i = 0; i < kMostAtOnce; ++i) {
    space_->vectors[i] = {space_->bytes.get() + i * kMaxPacket, kMaxPacket};
    msghdr& header = space_->headers[i].msg_hdr;
    header.msg_iov = &space_->vectors[i];
    header.msg_iovlen = 1;
    header.msg_name = &space_->names[i];
  }
}

UdpReader::~UdpReader() = default;

std::span<const Packet> UdpReader::Receive() {
  Space& space = *space_;
  for (size_t i = 0; i < kMostAtOnce; ++i) {
    msghdr& header = space.headers[i].msg_hdr;
    header.msg_namelen = sizeof(sockaddr_storage);
    header.msg_control = space.controls[i].bytes.data();
    header.msg_controllen = kControl;
  }
  int received = 0;
  do {
    received = ::recvmmsg(fd_, space.headers.data(), kMostAtOnce, MSG_DONTWAIT, nullptr);
  } while (received < 0 && errno == EINTR);
  if (received <= 0) {
    // What ICMP said of an answer that we sent; nothing is wrong with the socket.
    const bool harmless = received == 0 || errno == EAGAIN || errno == ECONNREFUSED ||
                          errno == EHOSTUNREACH || errno == ENETUNREACH;
    if (harmless) errno = 0;
    return {};
  }
  errno = 0;
  const auto count = static_cast<size_t>(received);
  for (size_t i = 0; i < count; ++i) {
    msghdr& header = space.headers[i].msg_hdr;
    Packet& packet = space.packets[i];
    packet.bytes = {space.bytes.get() + i * kMaxPacket, space.headers[i].msg_len};
    packet.cut = (header.msg_flags & MSG_TRUNC) != 0;
    const auto* name = reinterpret_cast<const sockaddr*>(&space.names[i]);
    packet.from.peer =
        secure::PeerAddress::FromSockaddr(name, header.msg_namelen).value_or(secure::PeerAddress{});
    packet.from.local = {};
    ReadControl(header, packet);
  }
  return {space.packets.data(), count};
}

void UdpReader::ReadControl(msghdr& header, Packet& packet) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      std::memcpy(packet.from.local.ip.data(), &info.ipi6_addr, sizeof info.ipi6_addr);
      packet.from.local.interface = info.ipi6_ifindex;
    } else if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      packet.from.local.ip = Mapped(info.ipi_spec_dst);
      packet.from.local.interface = static_cast<uint32_t>(info.ipi_ifindex);
    } else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL) {
      std::memcpy(&dropped_, CMSG_DATA(part), sizeof dropped_);
    }
  }
}

uint32_t UdpReader::TakeDropped() {
  const uint32_t since = dropped_ - told_;
  told_ = dropped_;
  return since;
}

// ---- writing ----------------------------------------------------------------------------------

struct UdpWriter::Space {
  struct Outgoing {
    sockaddr_storage name{};
    std::string bytes;
    iovec vector{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
  };
  std::array<Outgoing, kMostAtOnce> outgoing;
  std::array<mmsghdr, kMostAtOnce> headers{};
  size_t count = 0;
};

UdpWriter::UdpWriter(const UdpSocket& socket)
    : fd_(socket.fd.get()), family_(socket.family), space_(std::make_unique<Space>()) {}

UdpWriter::~UdpWriter() { Flush(); }

void UdpWriter::Add(const Route& to, std::string_view datagram) {
  if (space_->count == kMostAtOnce) Flush();
  Space::Outgoing& out = space_->outgoing[space_->count];
  msghdr& header = space_->headers[space_->count].msg_hdr;
  header = {};
  const socklen_t length = to.peer.ToSockaddr(family_, out.name);
  if (length == 0) {
    ++dropped_;
    return;
  }
  ++space_->count;
  out.bytes = datagram;
  out.vector = {out.bytes.data(), out.bytes.size()};
  header.msg_name = &out.name;
  header.msg_namelen = length;
  header.msg_iov = &out.vector;
  header.msg_iovlen = 1;
  if (to.local == LocalAddress{}) return;

  header.msg_control = out.control.data();
  auto* part = reinterpret_cast<cmsghdr*>(out.control.data());
  if (family_ == AF_INET6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, to.local.ip.data(), sizeof info.ipi6_addr);
    // The kernel chooses the way; only a link-local peer is on one certain interface.
    info.ipi6_ifindex = to.peer.scope != 0 ? to.local.interface : 0;
    part->cmsg_level = IPPROTO_IPV6;
    part->cmsg_type = IPV6_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
    header.msg_controllen = CMSG_SPACE(sizeof info);
  } else {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, to.local.ip.data() + kMappedPrefix, sizeof info.ipi_spec_dst);
    part->cmsg_level = IPPROTO_IP;
    part->cmsg_type = IP_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
    header.msg_controllen = CMSG_SPACE(sizeof info);
  }
}

void UdpWriter::Flush() {
  size_t done = 0;
  while (done < space_->count) {
    const int sent =
        ::sendmmsg(fd_, space_->headers.data() + done, static_cast<unsigned>(space_->count - done),
                   MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      done += static_cast<size_t>(sent);
    } else if (errno != EINTR) {
      // This one cannot be sent; the others may go elsewhere.
      ++dropped_;
      ++done;
    }
  }
  space_->count = 0;
}

}  // namespace ospatrol::remoted
