#include "secure/peer_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace ospatrol::secure {

namespace {

constexpr pattern::IpAddress kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0};
constexpr size_t kMappedBytes = 12;

// Mixes two words; addresses of one network differ in a few low bits only.
uint64_t Mix(uint64_t value) {
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93ULL;
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93ULL;
  return value ^ (value >> 32);
}

}  // namespace

std::optional<PeerAddress> PeerAddress::FromSockaddr(const sockaddr* address, socklen_t length) {
  PeerAddress peer;
  if (length >= sizeof(sockaddr_in) && address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    peer.ip = kMapped;
    std::memcpy(peer.ip.data() + kMappedBytes, &v4.sin_addr, sizeof v4.sin_addr);
    peer.port = ntohs(v4.sin_port);
    return peer;
  }
  if (length >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(peer.ip.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    peer.port = ntohs(v6.sin6_port);
    if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) peer.scope = v6.sin6_scope_id;
    return peer;
  }
  return std::nullopt;
}

std::optional<PeerAddress> PeerAddress::Parse(std::string_view ip, uint16_t port) {
  if (ip.find('/') != std::string_view::npos) return std::nullopt;
  const auto parsed = pattern::ParseAddress(ip);
  if (!parsed) return std::nullopt;
  return PeerAddress{.ip = *parsed, .port = port, .scope = 0};
}

socklen_t PeerAddress::ToSockaddr(int family, sockaddr_storage& out) const {
  std::memset(&out, 0, sizeof out);
  if (family == AF_INET && IsV4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, ip.data() + kMappedBytes, sizeof v4.sin_addr);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  if (family == AF_INET6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_scope_id = scope;
    std::memcpy(&v6.sin6_addr, ip.data(), ip.size());
    std::memcpy(&out, &v6, sizeof v6);
    return sizeof v6;
  }
  return 0;
}

bool PeerAddress::IsV4() const {
  return std::equal(kMapped.begin(), kMapped.begin() + kMappedBytes, ip.begin());
}

std::string PeerAddress::IpText() const {
  char text[INET6_ADDRSTRLEN];
  const char* result = IsV4() ? inet_ntop(AF_INET, ip.data() + kMappedBytes, text, sizeof text)
                              : inet_ntop(AF_INET6, ip.data(), text, sizeof text);
  return result == nullptr ? std::string() : std::string(result);
}

std::string PeerAddress::Text() const {
  return IsV4() ? fmt::format("{}:{}", IpText(), port) : fmt::format("[{}]:{}", IpText(), port);
}

size_t IpHash::operator()(const pattern::IpAddress& ip) const {
  uint64_t words[2];
  std::memcpy(words, ip.data(), sizeof words);
  return static_cast<size_t>(Mix(Mix(words[0]) + words[1]));
}

}  // namespace ospatrol::secure

size_t std::hash<ospatrol::secure::PeerAddress>::operator()(
    const ospatrol::secure::PeerAddress& address) const {
  const uint64_t rest = (uint64_t{address.scope} << 16) | address.port;
  return ospatrol::secure::IpHash{}(address.ip) ^ static_cast<size_t>(rest * 0x9E3779B97F4A7C15ULL);
}
