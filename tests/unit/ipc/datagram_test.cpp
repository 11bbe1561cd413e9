#include "ipc/datagram.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <string>
#include <vector>

#include "../temporary_directory.h"
#include "base/error.h"
#include "ipc/queue_message.h"

namespace ospatrol::ipc {
namespace {

class Datagram : public ::testing::Test {
 protected:
  const TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_ / "queue";
};

TEST_F(Datagram, ArrivesWithoutTheTerminatingNul) {
  DatagramReceiver receiver(path_, 0660);
  DatagramSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  EXPECT_EQ(sender.Send("1:/x:text", 0), DatagramSender::Status::kSent);
  const auto received = receiver.Receive();
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0].bytes, "1:/x:text");
  EXPECT_FALSE(received[0].cut);
  EXPECT_TRUE(receiver.Receive().empty());
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(Datagram, SocketGetsItsModeWhateverTheUmask) {
  const mode_t old = ::umask(0077);
  DatagramReceiver receiver(path_, 0660);
  ::umask(old);
  struct stat facts {};
  ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, mode_t{0660});
}

TEST_F(Datagram, OfTheLargestSizeIsWhole) {
  DatagramReceiver receiver(path_, 0660);
  DatagramSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  EXPECT_EQ(sender.Send(std::string(kMaxMessage, 'a'), 0), DatagramSender::Status::kSent);
  const auto received = receiver.Receive();
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0].bytes, std::string(kMaxMessage, 'a'));
  EXPECT_FALSE(received[0].cut);
}

TEST_F(Datagram, SeveralAreReceivedInOneCallInTheirOrder) {
  DatagramReceiver receiver(path_, 0660);
  DatagramSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  for (const char* text : {"1:/x:one", "1:/x:two", "1:/x:three"}) {
    ASSERT_EQ(sender.Send(text, 0), DatagramSender::Status::kSent);
  }
  const auto received = receiver.Receive();
  ASSERT_EQ(received.size(), 3u);
  EXPECT_EQ(received[0].bytes, "1:/x:one");
  EXPECT_EQ(received[1].bytes, "1:/x:two");
  EXPECT_EQ(received[2].bytes, "1:/x:three");
}

TEST_F(Datagram, LongAndShortOnesOfOneCallAreWhole) {
  DatagramReceiver receiver(path_, 0660);
  DatagramSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  std::vector<std::string> sent;
  for (const size_t size : {510, 511, 512, 513, 7, 60000}) {
    std::string text;
    while (text.size() < size) text += static_cast<char>('a' + text.size() % 23);
    ASSERT_EQ(sender.Send(text, 0), DatagramSender::Status::kSent);
    sent.push_back(std::move(text));
  }
  const auto received = receiver.Receive();
  ASSERT_EQ(received.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(received[i].bytes, sent[i]);
    EXPECT_FALSE(received[i].cut);
  }
}

TEST_F(Datagram, AboveTheLimitIsReportedAsTruncated) {
  DatagramReceiver receiver(path_, 0660);
  for (const size_t size : {kMaxMessage + 1, kMaxMessage + 2, kMaxMessage + 5000}) {
    const base::Fd raw(::socket(AF_UNIX, SOCK_DGRAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    const std::string text(size, 'a');
    ASSERT_EQ(::sendto(raw.get(), text.data(), text.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              static_cast<ssize_t>(size));
    const auto received = receiver.Receive();
    ASSERT_EQ(received.size(), 1u);
    EXPECT_TRUE(received[0].cut);
    EXPECT_EQ(received[0].bytes.size(), kMaxMessage);
  }
}

TEST_F(Datagram, SenderIsToldWhenTheQueueIsFull) {
  DatagramReceiver receiver(path_, 0660);
  DatagramSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  auto status = DatagramSender::Status::kSent;
  for (int i = 0; i < 100000 && status == DatagramSender::Status::kSent; ++i) {
    status = sender.Send("1:/x:text", 0);
  }
  EXPECT_EQ(status, DatagramSender::Status::kFull);
  EXPECT_TRUE(sender.IsConnected());
  ASSERT_FALSE(receiver.Receive().empty());
  EXPECT_EQ(sender.Send("1:/x:text", 100), DatagramSender::Status::kSent);
}

TEST_F(Datagram, SenderIsToldWhenTheReaderIsGoneAndConnectsAgain) {
  auto receiver = std::make_unique<DatagramReceiver>(path_, 0660);
  DatagramSender sender(path_);
  ASSERT_TRUE(sender.Connect());
  receiver.reset();
  EXPECT_EQ(sender.Send("1:/x:text", 0), DatagramSender::Status::kGone);
  EXPECT_FALSE(sender.IsConnected());
  EXPECT_FALSE(sender.Connect());
  receiver = std::make_unique<DatagramReceiver>(path_, 0660);  // an old socket is in the way
  ASSERT_TRUE(sender.Connect());
  EXPECT_EQ(sender.Send("1:/x:text", 0), DatagramSender::Status::kSent);
}

TEST_F(Datagram, ReceiverNamesPathAndReasonWhenItCannotBind) {
  try {
    DatagramReceiver receiver(directory_ / "missing" / "queue", 0660);
    FAIL() << "bound a socket in a directory that does not exist";
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), 1206);
    EXPECT_NE(std::string(error.what()).find("missing/queue"), std::string::npos);
  }
  EXPECT_THROW(DatagramReceiver(directory_ / std::string(200, 'x'), 0660), Error);
}

}  // namespace
}  // namespace ospatrol::ipc
