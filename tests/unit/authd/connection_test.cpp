#include "authd/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "enrolment_house.h"

namespace ospatrol::authd {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kRequest = "OSSEC A:'web'\n";

// One connection on an event loop of its own; the test is the client.
class ConnectionTest : public testing::Test {
 protected:
  ~ConnectionTest() override { End(); }

  Client& Open(std::optional<std::string> password = {}) {
    house_.SetPassword(std::move(password));
    auto [server, client] = EnrolmentHouse::Sockets();
    client_ = std::make_unique<Client>(std::move(client));
    Begin(std::move(server));
    return *client_;
  }
  void Begin(base::Fd server) {
    connection_ =
        std::make_unique<Connection>(loop_, house_.service(), house_.context(), std::move(server),
                                     EnrolmentHouse::peer(), [this] { Forget(); });
    thread_ = std::thread([this] { loop_.Run(); });
  }
  // As the pool does it: with the object its socket goes.
  void Forget() {
    loop_.Post([this] {
      connection_.reset();
      ++done_;
    });
  }
  void End() {
    if (!thread_.joinable()) return;
    loop_.Stop();
    thread_.join();
    connection_.reset();
  }
  bool IsDone() const {
    const Clock::time_point until = Clock::now() + Client::kPatience;
    while (done_ == 0 && Clock::now() < until) std::this_thread::sleep_for(milliseconds(5));
    return done_ == 1;
  }

  EnrolmentHouse house_;
  daemon::EventLoop loop_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Connection> connection_;
  std::atomic<int> done_ = 0;
  std::thread thread_;
};

TEST_F(ConnectionTest, AnswersWithAKeyThatIsInTheFileAlready) {
  const std::string answer = Open().Ask(kRequest);
  EXPECT_THAT(answer, StartsWith("OSSEC K:'1024 web any "));
  EXPECT_THAT(answer, testing::EndsWith("'\n\n"));
  const std::string line = answer.substr(9, answer.rfind('\'') - 9);
  EXPECT_THAT(house_.Keys(), HasSubstr(line + "\n"));
  EXPECT_TRUE(client_->ended());
  EXPECT_TRUE(IsDone());
}

TEST_F(ConnectionTest, TakesARequestInSmallPieces) {
  Client& client = Open("secret");
  ASSERT_TRUE(client.Handshake());
  for (const char c : std::string("OSSEC PASS: secret OSSEC A:'web'\n")) {
    ASSERT_TRUE(client.Send({&c, 1}));
  }
  EXPECT_THAT(client.ReadToTheEnd(), StartsWith("OSSEC K:'1024 web any "));
}

TEST_F(ConnectionTest, MakesAWrongPasswordWait) {
  const Clock::time_point began = Clock::now();
  const std::string answer = Open("secret").Ask("OSSEC PASS: guess OSSEC A:'web'\n");
  EXPECT_THAT(answer, StartsWith("ERROR: Invalid password."));
  EXPECT_GE(Clock::now() - began, Connection::kRefusedPause);
  EXPECT_THAT(house_.Keys(), IsEmpty());
  EXPECT_TRUE(IsDone());
}

TEST_F(ConnectionTest, AsksForThePasswordThatIsMissing) {
  EXPECT_THAT(Open("secret").Ask(kRequest), StartsWith("ERROR: Invalid password."));
  EXPECT_THAT(house_.Keys(), IsEmpty());
}

TEST_F(ConnectionTest, RefusesNamesThatCannotBe) {
  EXPECT_THAT(Open().Ask("OSSEC A:'../../etc/passwd'\n"),
              StartsWith("ERROR: Invalid agent name: ../../etc/passwd"));
  EXPECT_THAT(house_.Keys(), IsEmpty());
}

TEST_F(ConnectionTest, ClosesWithoutAWordWhatItCannotRead) {
  EXPECT_THAT(Open().Ask("GET / HTTP/1.1\r\n\r\n"), IsEmpty());
  EXPECT_TRUE(client_->ended());
  EXPECT_TRUE(IsDone());
}

TEST_F(ConnectionTest, EndsARequestWithoutEnd) {
  Client& client = Open();
  ASSERT_TRUE(client.Handshake());
  client.Send("OSSEC A:'" + std::string(2 * secure::kMaxEnrolmentRequest, 'a'));
  EXPECT_THAT(client.ReadToTheEnd(), IsEmpty());
  EXPECT_TRUE(IsDone());
}

TEST_F(ConnectionTest, LetsTheAnswerBeReadByAPeerThatGoesOnSending) {
  Client& client = Open();
  ASSERT_TRUE(client.Handshake());
  ASSERT_TRUE(client.Send(std::string(kRequest) + std::string(20000, 'x')));
  EXPECT_THAT(client.ReadToTheEnd(), StartsWith("OSSEC K:'"));
  EXPECT_TRUE(IsDone());
}

TEST_F(ConnectionTest, EndsWithoutTls) {
  auto [server, client] = EnrolmentHouse::Sockets();
  Begin(std::move(server));
  ASSERT_TRUE(base::WriteAll(client.get(), "OSSEC A:'web'\n and no TLS at all around it\n"));
  EXPECT_TRUE(IsDone());
  EXPECT_THAT(house_.Keys(), IsEmpty());
}

TEST_F(ConnectionTest, EndsWithAPeerThatVanishes) {
  auto [server, client] = EnrolmentHouse::Sockets();
  Begin(std::move(server));
  client.reset();
  EXPECT_TRUE(IsDone());
}

TEST_F(ConnectionTest, ClosesWhatHasNotAskedYetWhenTheDaemonEnds) {
  Client& client = Open();
  ASSERT_TRUE(client.Handshake());
  loop_.Post([this] { connection_->Finish(); });
  EXPECT_TRUE(IsDone());
  End();
  EXPECT_THAT(client.ReadToTheEnd(), IsEmpty());
  EXPECT_TRUE(client.ended());
}

TEST_F(ConnectionTest, CutsThePauseOfARefusedPeerWhenTheDaemonEnds) {
  Client& client = Open("secret");
  ASSERT_TRUE(client.Handshake());
  ASSERT_TRUE(client.Send(kRequest));
  loop_.Post([this] { connection_->Finish(); });
  client.ReadToTheEnd();
  EXPECT_TRUE(IsDone());
}

}  // namespace
}  // namespace ospatrol::authd
