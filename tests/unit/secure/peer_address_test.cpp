#include "secure/peer_address.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace ospatrol::secure {
namespace {

PeerAddress RoundTrip(const PeerAddress& peer, int family) {
  sockaddr_storage storage{};
  const socklen_t length = peer.ToSockaddr(family, storage);
  return PeerAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length).value();
}

TEST(PeerAddress, IsTheSameThroughSocketsOfBothFamilies) {
  const PeerAddress v4 = PeerAddress::Parse("10.0.0.5", 1514).value();
  EXPECT_EQ(RoundTrip(v4, AF_INET), v4);
  EXPECT_EQ(RoundTrip(v4, AF_INET6), v4);
  PeerAddress v6 = PeerAddress::Parse("fe80::1", 99).value();
  v6.scope = 3;
  EXPECT_EQ(RoundTrip(v6, AF_INET6), v6);
  sockaddr_storage storage{};
  EXPECT_EQ(v6.ToSockaddr(AF_INET, storage), 0U);
}

TEST(PeerAddress, FoldsMappedAddresses) {
  EXPECT_EQ(PeerAddress::Parse("::ffff:10.0.0.5", 1), PeerAddress::Parse("10.0.0.5", 1));
  EXPECT_EQ(PeerAddress::Parse("::ffff:10.0.0.5", 1)->IpText(), "10.0.0.5");
}

TEST(PeerAddress, WritesWhatPeopleRead) {
  EXPECT_EQ(PeerAddress::Parse("10.0.0.5", 1514)->Text(), "10.0.0.5:1514");
  EXPECT_EQ(PeerAddress::Parse("2001:DB8:0:0::5", 1514)->Text(), "[2001:db8::5]:1514");
}

TEST(PeerAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "host", "10.0.0.0/8", "10.0.0.5:1", "[::1]", "any"}) {
    EXPECT_EQ(PeerAddress::Parse(text, 1), std::nullopt) << text;
  }
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  const auto* address = reinterpret_cast<const sockaddr*>(&storage);
  EXPECT_EQ(PeerAddress::FromSockaddr(address, sizeof storage), std::nullopt);
  storage.ss_family = AF_INET6;
  EXPECT_EQ(PeerAddress::FromSockaddr(address, 8), std::nullopt);
}

TEST(PeerAddress, HashesNeighboursApart) {
  std::unordered_set<size_t> hashes;
  for (int i = 0; i < 256; ++i) {
    PeerAddress peer = PeerAddress::Parse("10.0.0.0", 1514).value();
    peer.ip[15] = static_cast<uint8_t>(i);
    hashes.insert(std::hash<PeerAddress>{}(peer));
    hashes.insert(IpHash{}(peer.ip) + 1);
  }
  EXPECT_GT(hashes.size(), 500U);
}

}  // namespace
}  // namespace ospatrol::secure
