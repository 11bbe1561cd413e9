#include "remoted/udp.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/fd.h"

namespace ospatrol::remoted {
namespace {

// One that nobody has now: several of these tests run at the same time.
uint16_t FreePort() {
  const base::Fd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), generic, size) != 0 || ::getsockname(fd.get(), generic, &size) != 0)
    return 0;
  return ntohs(address.sin6_port);
}

Packet ReceiveOne(UdpReader& reader, std::string& bytes) {
  for (int i = 0; i < 1000; ++i) {
    const auto packets = reader.Receive();
    if (!packets.empty()) {
      bytes = packets[0].bytes;
      return packets[0];
    }
    ::usleep(1000);
  }
  return {};
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
  UdpReader reader(client[0]);
  const Packet answer = ReceiveOne(reader, bytes);
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
  for (UdpSocket& socket : sockets_) {
    UdpReader reader(socket);
    for (const Packet& packet : reader.Receive()) {
      (packet.cut ? cut : whole) += 1;
      EXPECT_EQ(packet.bytes.size(), UdpReader::kMaxPacket);
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
  size_t received = 0;
  while (!reader.Receive().empty()) ++received;
  out.Add(to, "later");
  out.Flush();
  EXPECT_EQ(reader.Receive().size(), 1U);
  EXPECT_GT(reader.TakeDropped(), 0U);
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
