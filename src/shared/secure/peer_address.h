// Where packets come from and go to: an IP address and a port, in binary.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pattern/ip_list.h"

namespace ospatrol::secure {

// Both families in one form: IPv4 is held as ::ffff:a.b.c.d, so an address that arrives on a
// dual-stack socket equals the one that arrives on an IPv4 socket.
struct PeerAddress {
  pattern::IpAddress ip{};  // network order
  uint16_t port = 0;        // host order
  uint32_t scope = 0;       // interface of a link-local IPv6 address, else 0

  // Nothing for other families and for lengths that are too short.
  static std::optional<PeerAddress> FromSockaddr(const sockaddr* address, socklen_t length);

  // `ip` is a numeric IPv4 or IPv6 address without "/len", port or brackets; names are not looked
  // up.
  static std::optional<PeerAddress> Parse(std::string_view ip, uint16_t port);

  // Fills `out` for a socket of `family`: AF_INET6 takes both (IPv4 as mapped), AF_INET only IPv4.
  // Returns the length, 0 when the address does not fit the family.
  socklen_t ToSockaddr(int family, sockaddr_storage& out) const;

  bool IsV4() const;
  std::string IpText() const;  // "10.0.0.5", "2001:db8::5": lower case, compressed
  std::string Text() const;    // "10.0.0.5:1514", "[2001:db8::5]:1514"

  bool operator==(const PeerAddress&) const = default;
};

// Of the 16 bytes alone, for tables by address without port.
struct IpHash {
  size_t operator()(const pattern::IpAddress& ip) const;
};

}  // namespace ospatrol::secure

template <>
struct std::hash<ospatrol::secure::PeerAddress> {
  size_t operator()(const ospatrol::secure::PeerAddress& address) const;
};
