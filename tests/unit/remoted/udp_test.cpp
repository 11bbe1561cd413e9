#include "remoted/udp.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "base/error.h"
#include "base/fd.h"

namespace ospatrol::remoted {
namespace {

// One that nobody has, below those that the system gives to clients. It stays with this process: a
// name among the abstract sockets stands for it, as in the end-to-end tests.
uint16_t FreePort() {
  static std::vector<base::Fd> claims;
  for (uint16_t port = 20000; port < 30000; ++port) {
    base::Fd claim(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const std::string text = fmt::format("ospatrol-test-port-{}", port);
    std::ranges::copy(text, name.sun_path + 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    if (::bind(claim.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) continue;
    const base::Fd probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      continue;
    }
    claims.push_back(std::move(claim));
    return port;
  }
  return 0;
}

// Waits for something to read: under load the kernel takes its time even on the loopback device.
template <typename Sockets>
void WaitFor(const Sockets& sockets) {
  std::vector<pollfd> waits;
  for (const UdpSocket& socket : sockets) waits.push_back({socket.fd.get(), POLLIN, 0});
  ASSERT_GT(::poll(waits.data(), waits.size(), 60'000), 0);
}

class UdpTest : public testing::Test {
 protected:
  UdpTest() : sockets_(BindUdp({.local_ip = {}, .port = port_, .receive_buffer = 1 << 20}, 2)) {}
  const uint16_t port_ = FreePort();
  std::vector<UdpSocket> sockets_;
};

TEST_F(UdpTest, AnswersFromTheAddressThatWasUsed) {
  const auto client_ip = *secure::PeerAddress::Parse("127.0.0.5", 0);
  std::vector<UdpSocket> client = BindUdp({.local_ip = client_ip.ip, .port = FreePort()}, 1);
  UdpWriter out(client[0]);
  Route to;
  to.peer = *secure::PeerAddress::Parse("127.0.0.7", port_);
  out.Add(to, "question");
  out.Flush();

  std::string bytes;
  Packet packet;
  WaitFor(sockets_);
  for (UdpSocket& socket : sockets_) {
    UdpReader reader(socket);
    const auto packets = reader.Receive();
    if (packets.empty()) continue;
    packet = packets[0];
    bytes = packet.bytes;
    UdpWriter(socket).Add(packet.from, "answer");
  }
  EXPECT_EQ(bytes, "question");
  EXPECT_EQ(packet.from.peer.IpText(), "127.0.0.5");
  WaitFor(client);
  UdpReader reader(client[0]);
  const Packet answer = reader.Receive()[0];
  bytes = answer.bytes;
  EXPECT_EQ(bytes, "answer");
  EXPECT_EQ(answer.from.peer.Text(), fmt::format("127.0.0.7:{}", port_));
}

TEST_F(UdpTest, TakesNoPortThatSomebodyElseHas) {
  EXPECT_THROW(BindUdp({.local_ip = {}, .port = port_}, 1), Error);
}

TEST_F(UdpTest, SaysThatADatagramWasCut) {
  UdpWriter out(sockets_[0]);
  Route to;
  to.peer = *secure::PeerAddress::Parse("::1", port_);
  out.Add(to, std::string(UdpReader::kMaxPacket + 1, 'x'));
  out.Add(to, std::string(UdpReader::kMaxPacket, 'y'));
  out.Flush();
  size_t whole = 0, cut = 0;
  while (whole + cut < 2) {
    WaitFor(sockets_);
    for (UdpSocket& socket : sockets_) {
      UdpReader reader(socket);
      for (const Packet& packet : reader.Receive()) {
        (packet.cut ? cut : whole) += 1;
        EXPECT_EQ(packet.bytes.size(), UdpReader::kMaxPacket);
      }
    }
  }
  EXPECT_EQ(whole, 1U);
  EXPECT_EQ(cut, 1U);
}

TEST(Udp, CountsWhatTheKernelDropped) {
  const uint16_t port = FreePort();
  std::vector<UdpSocket> sockets =
      BindUdp({.local_ip = {}, .port = port, .receive_buffer = 4096}, 1);
  UdpWriter out(sockets[0]);
  Route to;
  to.peer = *secure::PeerAddress::Parse("127.0.0.1", port);
  for (int i = 0; i < 200; ++i) out.Add(to, std::string(1000, 'x'));
  out.Flush();
  UdpReader reader(sockets[0]);
  // The count comes with the next packet.
  uint32_t dropped = 0;
  while (dropped == 0) {
    WaitFor(sockets);
    while (!reader.Receive().empty()) {
    }
    dropped = reader.TakeDropped();
    out.Add(to, "later");
    out.Flush();
  }
  WaitFor(sockets);
  EXPECT_FALSE(reader.Receive().empty());
  EXPECT_EQ(reader.TakeDropped(), 0U);
}

TEST(Udp, SurvivesAnswersToNobody) {
  std::vector<UdpSocket> sockets = BindUdp({.local_ip = {}, .port = FreePort()}, 1);
  UdpWriter out(sockets[0]);
  Route to;
  to.peer = *secure::PeerAddress::Parse("127.0.0.1", 1);
  for (int i = 0; i < 10; ++i) {
    out.Add(to, "x");
    out.Flush();
  }
  UdpReader reader(sockets[0]);
  reader.Receive();
  EXPECT_EQ(errno, 0);
}

}  // namespace
}  // namespace ospatrol::remoted
