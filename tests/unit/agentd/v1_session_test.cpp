#include "agentd/v1_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../temporary_directory.h"
#include "secure/keys_file.h"

namespace ospatrol::agentd {
namespace {

using secure::Cipher;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A session, and the manager at the other end of its wire.
class V1SessionTest : public ::testing::Test, protected V1Session::Owner {
 protected:
  V1SessionTest()
      : key_(*secure::MakeAgentKey("001", "web01", "any", std::string(64, 'a'))),
        keys_(secure::DeriveKeys(key_)),
        counter_(directory_ / "sender_counter", 1000),
        received_(std::make_shared<secure::ReceiveCounter>(secure::ReplayWindow())) {}

  V1Session& Open(bool confirm = false, bool verify = true) {
    V1Session::Owner& owner = *this;
    session_ = std::make_unique<V1Session>(V1Session::Settings{.server = "manager",
                                                               .cipher = Cipher::kAes,
                                                               .notify_ms = 600'000,
                                                               .reconnect_ms = 1'800'000,
                                                               .confirm_events = confirm,
                                                               .verify_counters = verify},
                                           key_, keys_, engine_, counter_, received_, owner);
    return *session_;
  }
  void Connect(int64_t now = 0) {
    session_->Start(now);
    Answer(now + 1);
    sent_.clear();
    told_.clear();
  }
  // Lets time pass in the steps that the session asks for.
  void Pass(int64_t from, int64_t to) {
    while (session_->NextWake() <= to) {
      now_ = std::max(session_->NextWake(), from);
      session_->Tick(now_);
    }
  }
  std::string FromManager(std::string_view message, Cipher cipher = Cipher::kAes) {
    manager_counter_ = manager_counter_.Next();
    return std::string(
        secure::Seal(manager_engine_, keys_, cipher, "", manager_counter_, message).datagram);
  }
  void Say(int64_t now, std::string_view message) {
    EXPECT_TRUE(session_->Receive(now, FromManager(message)));
  }
  void Answer(int64_t now) { Say(now, secure::kAckMessage); }

  Sent SendDatagram(std::string_view datagram) override {
    const auto prefix = secure::ParsePrefix(datagram);
    const auto opened = secure::Open(manager_engine_, keys_, prefix.cipher, prefix.sealed);
    EXPECT_TRUE(opened);
    EXPECT_EQ(prefix.id, "001");
    if (next_ == Sent::kSent) sent_.emplace_back(opened.message);
    last_datagram_ = datagram;
    return next_;
  }
  std::string KeepAlive() override { return "#!-keep alive\nx merged.mg\n"; }
  void Answered() override { told_.push_back("answered"); }
  void RoundFailed() override { told_.push_back("round failed"); }
  void Lost(std::string_view reason) override { told_.push_back("lost: " + std::string(reason)); }
  void FromManager(const secure::ManagerMessage& message) override {
    told_.push_back("message " + std::string(message.text));
  }
  bool FileOpen() const override { return file_open_; }

  TemporaryDirectory directory_;
  secure::AgentKey key_;
  secure::DerivedKeys keys_;
  secure::CipherEngine engine_, manager_engine_;
  secure::SenderCounter counter_;
  secure::Counter manager_counter_;
  std::shared_ptr<secure::ReceiveCounter> received_;
  std::unique_ptr<V1Session> session_;
  std::vector<std::string> sent_, told_;
  std::string last_datagram_;
  Sent next_ = Sent::kSent;
  bool file_open_ = false;
  int64_t now_ = 0;
};

TEST_F(V1SessionTest, SaysHelloAtTheTimesOfARoundAndGivesUp) {
  V1Session& session = Open();
  session.Start(5000);
  std::vector<int64_t> times{0};
  while (session.state() == V1Session::State::kHello) {
    const int64_t wake = session.NextWake();
    session.Tick(wake);
    if (session.state() == V1Session::State::kHello) times.push_back(wake - 5000);
  }
  EXPECT_THAT(times, ElementsAre(0, 6000, 10000, 15000, 21000));
  EXPECT_THAT(sent_,
              ElementsAre(secure::kStartupMessage, secure::kStartupMessage, secure::kStartupMessage,
                          secure::kStartupMessage, secure::kStartupMessage));
  EXPECT_THAT(told_, ElementsAre("round failed"));
}

TEST_F(V1SessionTest, IsConnectedByAnAcknowledgementOfThisManagerOnly) {
  V1Session& session = Open();
  session.Start(0);
  EXPECT_FALSE(session.Receive(1, "garbage"));
  EXPECT_FALSE(session.Receive(1, ""));
  EXPECT_FALSE(session.Receive(1, last_datagram_)) << "with an id in front";
  const size_t prefix = last_datagram_.find('#');
  EXPECT_FALSE(session.Receive(1, std::string_view(last_datagram_).substr(prefix)))
      << "our own packet, sent back";
  const std::string answer = FromManager(secure::kAckMessage);
  EXPECT_TRUE(session.Receive(2, answer));
  EXPECT_EQ(session.state(), V1Session::State::kConnected);
  EXPECT_FALSE(session.Receive(3, answer)) << "a replay";
  EXPECT_THAT(told_, ElementsAre("answered"));
}

TEST_F(V1SessionTest, TakesAnyCounterWhenTheAdministratorSwitchedTheCheckOff) {
  Open(false, false);
  manager_counter_ = {5000, 1};
  Connect();
  manager_counter_ = {7, 1};  // another installation of the manager, with the same key
  Say(10, "#!-execd restart-ossec0 - null");
  EXPECT_THAT(told_, ElementsAre("message restart-ossec0 - null"));
}

TEST_F(V1SessionTest, SaysKeepAlivesAndNoticesThatNobodyAnswers) {
  V1Session& session = Open();
  Connect();
  Pass(1, 600'001);
  EXPECT_EQ(sent_.size(), 1u);
  Answer(600'100);
  Pass(600'100, 1'200'001);
  EXPECT_EQ(sent_.size(), 2u);
  Pass(1'200'001, 1'300'000);  // four in ten seconds each, then it is gone
  EXPECT_EQ(sent_.size(), 5u);
  EXPECT_THAT(told_, ElementsAre("lost: keep-alives are not answered"));
  EXPECT_LE(now_, 1'200'001 + 4 * V1Session::kAnswerMs);
  EXPECT_EQ(session.state(), V1Session::State::kIdle);
}

TEST_F(V1SessionTest, ARefusalByTheHostEndsIt) {
  V1Session& session = Open();
  session.Start(0);
  session.Refused(1);
  EXPECT_THAT(told_, IsEmpty()) << "the round goes on";
  Answer(2);
  session.Refused(3);
  EXPECT_EQ(told_.back(), "lost: its host says that nobody listens");
}

TEST_F(V1SessionTest, ConfirmsEventsByTheAnswerToWhatWasSaidAfterThem) {
  V1Session& session = Open(true);
  Connect();
  session.SendEvent(100, 1, "1:a:one");
  session.SendEvent(200, 2, "1:a:two");
  EXPECT_EQ(session.confirmed(), 0u);
  Pass(200, 10'100);
  EXPECT_EQ(sent_.back(), secure::kStartupMessage) << "asks whether the manager is there";
  session.SendEvent(10'150, 3, "1:a:three");
  Answer(10'200);
  EXPECT_EQ(session.confirmed(), 2u);
  Pass(10'200, 20'200);
  Answer(20'300);
  EXPECT_EQ(session.confirmed(), 3u);
  sent_.clear();
  Pass(20'300, 200'000);
  EXPECT_THAT(sent_, IsEmpty()) << "nothing to ask for";
}

TEST_F(V1SessionTest, DoesNotConfirmWhatANewerAnswerCannotKnow) {
  V1Session& session = Open(true);
  Connect();
  session.SendEvent(0, 1, "1:a:one");
  Pass(0, 10'000);  // asked
  session.SendEvent(10'001, 2, "1:a:two");
  Answer(10'002);
  EXPECT_EQ(session.confirmed(), 1u);
  Answer(10'003);  // an answer too many
  EXPECT_EQ(session.confirmed(), 1u);
}

TEST_F(V1SessionTest, GivesMessagesOfTheManagerAndFileContentOnlyWhileAFileIsOpen) {
  Open();
  Connect();
  Say(10, "#!-execd restart-ossec0 - null");
  EXPECT_FALSE(session_->Receive(11, FromManager("content")));
  file_open_ = true;
  Say(12, "content");
  EXPECT_FALSE(session_->Receive(13, FromManager("#!-unheard of")));
  EXPECT_THAT(told_, ElementsAre("message restart-ossec0 - null", "message content"));
}

TEST_F(V1SessionTest, CutsAnEventThatIsTooLongAndTellsWhenTheKernelIsBusy) {
  V1Session& session = Open();
  Connect();
  const std::string longest(70'000, 'x');
  EXPECT_EQ(session.SendEvent(1, 1, "1:a:" + longest), V1Session::Outcome::kSent);
  EXPECT_EQ(sent_.back().size(), secure::kMaxMessage);
  next_ = Sent::kBusy;
  EXPECT_EQ(session.SendEvent(1, 2, "1:a:b"), V1Session::Outcome::kBusy);
  next_ = Sent::kFailed;
  EXPECT_EQ(session.SendEvent(1, 2, "1:a:b"), V1Session::Outcome::kFailed);
}

TEST_F(V1SessionTest, TimeThatWasSleptThroughIsNotMadeUpFor) {
  V1Session& session = Open();
  session.Start(0);
  session.Tick(16'000);
  EXPECT_EQ(sent_.size(), 2u);
  EXPECT_EQ(session.NextWake(), 21'000);
}

}  // namespace
}  // namespace ospatrol::agentd
