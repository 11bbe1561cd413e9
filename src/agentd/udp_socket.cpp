#include "agentd/udp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace ospatrol::agentd {
namespace {

// A manager sends shared files faster than this process may be scheduled. Of this much is granted
// what the system's limit (net.core.rmem_max) allows. Bytes.
constexpr int kReceiveBuffer = 1 << 20;

const sockaddr* Generic(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool IsRefusal(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
         error == EHOSTDOWN || error == ENETDOWN;
}

}  // namespace

bool UdpSocket::Connect(const secure::PeerAddress& manager, const std::string& local_ip) {
  const int family = manager.IsV4() ? AF_INET : AF_INET6;
  sockaddr_storage to{};
  const socklen_t size = manager.ToSockaddr(family, to);
  fd_ = base::Fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) return false;
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  if (!local_ip.empty()) {
    const auto local = secure::PeerAddress::Parse(local_ip, 0);
    sockaddr_storage from{};
    const socklen_t from_size = local ? local->ToSockaddr(family, from) : 0;
    if (from_size == 0) {
      errno = EAFNOSUPPORT;
      fd_.reset();
      return false;
    }
    if (::bind(fd_.get(), Generic(from), from_size) != 0) {
      const int error = errno;
      fd_.reset();
      errno = error;
      return false;
    }
  }
  v4_ = family == AF_INET;
  AllowFragments(true);
  if (::connect(fd_.get(), Generic(to), size) != 0) {
    const int error = errno;
    fd_.reset();
    errno = error;
    return false;
  }
  return true;
}

void UdpSocket::AllowFragments(bool allow) {
  if (v4_) {
    const int value = allow ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE;
    ::setsockopt(fd_.get(), IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof(value));
  } else {
    const int value = allow ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE;
    ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, sizeof(value));
  }
}

UdpSocket::Sent UdpSocket::Send(std::string_view datagram) {
  for (;;) {
    if (::send(fd_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return Sent::kSent;
    switch (errno) {
      case EINTR:
        continue;
      case EAGAIN:
      case ENOBUFS:
      case ENOMEM:
        return Sent::kBusy;
      case EMSGSIZE:
        return Sent::kTooLarge;
      default:
        // The error is an earlier datagram's; this one was not sent.
        return IsRefusal(errno) ? Sent::kRefused : Sent::kFailed;
    }
  }
}

UdpSocket::Got UdpSocket::Receive(std::string_view& datagram) {
  if (!space_) space_ = std::make_unique_for_overwrite<char[]>(kLargest);
  ssize_t got = 0;
  do {
    got = ::recv(fd_.get(), space_.get(), kLargest, MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) {
    datagram = {space_.get(), static_cast<size_t>(got)};
    return Got::kDatagram;
  }
  if (errno == EAGAIN) return Got::kNone;
  return IsRefusal(errno) ? Got::kRefused : Got::kFailed;
}

}  // namespace ospatrol::agentd
