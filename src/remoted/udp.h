// UDP in batches: many packets with one call of the kernel, and answers that leave with the address
// that the other side used (IP_PKTINFO).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "pattern/ip_list.h"
#include "secure/peer_address.h"

namespace ospatrol::remoted {

// One end of this machine: what a packet was sent to.
struct LocalAddress {
  pattern::IpAddress ip{};
  uint32_t interface = 0;
  bool operator==(const LocalAddress&) const = default;
};

// The way to a peer: where it is, and which of our addresses it knows.
struct Route {
  secure::PeerAddress peer;
  LocalAddress local;
  bool operator==(const Route&) const = default;
};

struct UdpBinding {
  std::optional<pattern::IpAddress> local_ip;  // nothing: all addresses of both families
  uint16_t port = 0;
  size_t receive_buffer = 0;  // bytes asked for; 0 = the system's default
};

// The address to bind; 0 when it does not fit `family`.
socklen_t SocketAddress(int family, const UdpBinding& binding, sockaddr_storage& out);

struct UdpSocket {
  base::Fd fd;
  int family = AF_INET6;      // AF_INET where there is no IPv6
  size_t receive_buffer = 0;  // bytes that were granted
};

// `count` sockets on one port; the kernel gives all packets of one source to one of them. The port
// must be nobody else's. Throws Error 1206 with port and reason.
std::vector<UdpSocket> BindUdp(const UdpBinding& binding, size_t count);

struct Packet {
  std::string_view bytes;  // valid until the next Receive
  bool cut = false;        // was longer than kMaxPacket
  Route from;
};

// Thread-compatible, as is UdpWriter. About 600 KiB, of which only what is used becomes resident.
class UdpReader {
 public:
  static constexpr size_t kMostAtOnce = 64;
  static constexpr size_t kMaxPacket = 9000;

  explicit UdpReader(const UdpSocket& socket);
  ~UdpReader();

  // What waits, at most kMostAtOnce packets; never blocks. `errno` is 0 unless the socket is
  // broken.
  std::span<const Packet> Receive();

  // Packets that the kernel dropped since the last call, because nobody had read in time. Known
  // only when a later packet has arrived.
  uint32_t TakeDropped();

 private:
  struct Space;
  void ReadControl(msghdr& header, Packet& packet);

  int fd_;
  uint32_t dropped_ = 0;  // the kernel's counter, which wraps
  uint32_t told_ = 0;
  std::unique_ptr<Space> space_;
};

// Collects datagrams and sends them with one call. Whatever the kernel does not take is dropped and
// counted: all protocols here repeat what has no answer.
class UdpWriter {
 public:
  explicit UdpWriter(const UdpSocket& socket);
  ~UdpWriter();

  void Add(const Route& to, std::string_view datagram);  // copied
  void Flush();
  uint64_t dropped() const { return dropped_; }

 private:
  static constexpr size_t kMostAtOnce = 64;
  struct Space;

  int fd_;
  int family_;
  uint64_t dropped_ = 0;
  std::unique_ptr<Space> space_;
};

}  // namespace ospatrol::remoted
