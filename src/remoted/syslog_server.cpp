#include "remoted/syslog_server.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "remoted/forwarding.h"

namespace ospatrol::remoted {
namespace {

constexpr int kBacklog = 128;
constexpr size_t kMostVerdicts = 4096;
constexpr size_t kReadSize = 65536;
// Portions per wake-up, so that one connection does not keep the others waiting.
constexpr int kReadsPerTurn = 4;
constexpr int kBatchesPerTurn = 16;
constexpr std::chrono::milliseconds kWaitForRoom{20};
constexpr size_t kMaxDatagram = 6016;

}  // namespace

SyslogServer::SyslogServer(Channel& channel, Options options)
    : channel_(channel), options_(std::move(options)) {}

void SyslogServer::AddUdp(UdpSocket socket, int port) {
  udp_.emplace_back(std::move(socket), port);
}

void SyslogServer::AddTcp(base::Fd socket, int port) {
  TcpListener& listener = tcp_.emplace_back();
  listener.fd = std::move(socket);
  listener.port = port;
}

void SyslogServer::Start() {
  if (udp_.empty() && tcp_.empty()) return;
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void SyslogServer::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

void SyslogServer::SetAccess(SyslogAccess access) {
  const std::scoped_lock lock(access_mutex_);
  options_.access = std::move(access);
  verdicts_.clear();
}

void SyslogServer::Run() {
  for (UdpListener& listener : udp_) {
    listener.readable = loop_.WatchReadable(listener.socket.fd.get(),
                                            [this, &listener] { ReadDatagrams(listener); });
  }
  for (TcpListener& listener : tcp_) {
    listener.readable =
        loop_.WatchReadable(listener.fd.get(), [this, &listener] { Accept(listener); });
  }
  loop_.Run();
  for (UdpListener& listener : udp_) {
    ReadDatagrams(listener);
    listener.readable.reset();
  }
  for (TcpListener& listener : tcp_) {
    listener.readable.reset();
    listener.again.reset();
    for (Connection& connection : listener.connections) {
      connection.readable.reset();
      if (Read(connection)) Finish(connection);
    }
    listener.connections.clear();
  }
}

bool SyslogServer::IsAllowed(const std::string& address) {
  const std::scoped_lock lock(access_mutex_);
  const auto found = verdicts_.find(address);
  if (found != verdicts_.end()) return found->second;
  if (verdicts_.size() >= kMostVerdicts) verdicts_.clear();
  const bool allowed = options_.access.Allows(address);
  verdicts_.emplace(address, allowed);
  return allowed;
}

void SyslogServer::Hand(std::string_view source, std::string_view message) {
  if (AppendSyslogEvent(source, message, batch_.text())) batch_.EndEvent();
}

void SyslogServer::EndBatch() {
  if (batch_.empty()) return;
  const size_t refused = batch_.OfferTo(channel_.outlet);
  channel_.counters.events_dropped.fetch_add(refused, std::memory_order_relaxed);
}

void SyslogServer::ReadDatagrams(UdpListener& listener) {
  for (int turn = 0; turn < kBatchesPerTurn; ++turn) {
    const std::span<const Packet> packets = listener.reader.Receive();
    if (packets.empty()) return;
    channel_.counters.kernel_dropped.fetch_add(listener.reader.TakeDropped(),
                                               std::memory_order_relaxed);
    for (const Packet& packet : packets) {
      const std::string source = packet.from.peer.IpText();
      if (IsAllowed(source)) {
        Hand(source, packet.bytes.substr(0, kMaxDatagram));
      } else {
        channel_.faults.Write<msg::kSourceNotAllowed>(source, source);
      }
    }
    EndBatch();
  }
}

void SyslogServer::Accept(TcpListener& listener) {
  for (;;) {
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    base::Fd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&name), &length,
                          SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) return;
      // Out of descriptors: the connection stays in the backlog and is taken later.
      listener.readable.reset();
      listener.again = loop_.After(std::chrono::seconds(1), [this, &listener] {
        listener.readable =
            loop_.WatchReadable(listener.fd.get(), [this, &listener] { Accept(listener); });
      });
      return;
    }
    const auto peer =
        secure::PeerAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&name), length);
    if (!peer) continue;
    std::string source = peer->IpText();
    if (!IsAllowed(source)) {
      channel_.faults.Write<msg::kSourceNotAllowed>(source, source);
      continue;
    }
    if (listener.connections.size() >= options_.most_connections) {
      channel_.faults.Write<msg::kSyslogTooMany>(source, source);
      continue;
    }
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    Connection& connection = listener.connections.emplace_back();
    connection.fd = std::move(fd);
    connection.source = std::move(source);
    Watch(listener, std::prev(listener.connections.end()));
  }
}

void SyslogServer::Watch(TcpListener& listener, std::list<Connection>::iterator connection) {
  connection->readable = loop_.WatchReadable(connection->fd.get(), [this, &listener, connection] {
    if (!Read(*connection)) {
      listener.connections.erase(connection);
      return;
    }
    if (channel_.outlet.HasRoom()) return;
    // Not reading is the flow control of TCP: the sender waits too.
    connection->readable =
        loop_.After(kWaitForRoom, [this, &listener, connection] { Watch(listener, connection); });
  });
}

bool SyslogServer::Read(Connection& connection) {
  std::array<char, kReadSize> buffer;
  const auto hand = [&](std::string_view message) { Hand(connection.source, message); };
  for (int turn = 0; turn < kReadsPerTurn && channel_.outlet.HasRoom(); ++turn) {
    const ssize_t got = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      Finish(connection);
      return false;
    }
    if (!connection.framer.Feed({buffer.data(), static_cast<size_t>(got)}, hand)) {
      EndBatch();
      channel_.faults.Write<msg::kSyslogFraming>(connection.source, connection.source,
                                                 "its octet counting is broken");
      return false;
    }
    EndBatch();
  }
  return true;
}

void SyslogServer::Finish(Connection& connection) {
  connection.framer.End([&](std::string_view message) { Hand(connection.source, message); });
  EndBatch();
}

base::Fd BindTcp(const UdpBinding& binding) {
  const auto fail = [&] {
    throw log::Fatal<msg::kCannotBindPort>(binding.port, base::ErrnoText(errno));
  };
  int family =
      binding.local_ip && secure::PeerAddress{*binding.local_ip, 0, 0}.IsV4() ? AF_INET : AF_INET6;
  base::Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd && family == AF_INET6 && !binding.local_ip) {
    family = AF_INET;
    fd = base::Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  if (!fd) fail();
  const int on = 1, off = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_storage address{};
  const socklen_t length = SocketAddress(family, binding, address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) fail();
  if (::listen(fd.get(), kBacklog) != 0) fail();
  return fd;
}

}  // namespace ospatrol::remoted
