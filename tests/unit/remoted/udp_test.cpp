#include "remoted/udp.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace ospatrol::remoted {
namespace {

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
  UdpTest() : sockets_(BindUdp({.local_ip = {}, .port = kPort, .receive_buffer = 1 << 20}, 2)) {}
  static constexpr uint16_t kPort = 21987;
  std::vector<UdpSocket> sockets_;
};

TEST_F(UdpTest, AnswersFromTheAddressThatWasUsed) {
  const auto client_ip = *secure::PeerAddress::Parse("127.0.0.5", 0);
  std::vector<UdpSocket> client = BindUdp({.local_ip = client_ip.ip, .port = 21988}, 1);
  UdpWriter out(client[0]);
  Route to;
  to.peer = *secure::PeerAddress::Parse("127.0.0.7", kPort);
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
  EXPECT_EQ(answer.from.peer.Text(), "127.0.0.7:21987");
}

TEST_F(UdpTest, TakesNoPortThatSomebodyElseHas) {
  EXPECT_THROW(BindUdp({.local_ip = {}, .port = kPort}, 1), Error);
}

TEST_F(UdpTest, SaysThatADatagramWasCut) {
  UdpWriter out(sockets_[0]);
  Route to;
  to.peer = *secure::PeerAddress::Parse("::1", kPort);
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
  std::vector<UdpSocket> sockets =
      BindUdp({.local_ip = {}, .port = 21989, .receive_buffer = 4096}, 1);
  UdpWriter out(sockets[0]);
  Route to;
  to.peer = *secure::PeerAddress::Parse("127.0.0.1", 21989);
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
  std::vector<UdpSocket> sockets = BindUdp({.local_ip = {}, .port = 21990}, 1);
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
