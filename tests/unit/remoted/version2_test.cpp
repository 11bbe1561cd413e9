#include "remoted/version2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "channel.h"
#include "session_agent.h"

namespace ospatrol::remoted {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kKey(64, 'a');

class Version2Test : public testing::Test {
 protected:
  Version2Test() { house_.SetKeys("001 web01 any " + kKey + "\n"); }

  AgentPtr web() { return *house_.channel.registry.Get()->Find("001").agent; }
  RegistryPtr registry() { return house_.channel.registry.Get(); }

  // Carries datagrams between both ends, and answers of analysisd, until `done` or a minute is
  // over.
  bool Run(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    std::array<uint8_t, secure::v2::kMaxDatagram> out;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      const auto now = ProtocolNow();
      while (const size_t size = agent_.link.NextDatagram(now, out)) {
        if (lose_ > 0 && ++sent_ % lose_ == 0) continue;
        Handle({reinterpret_cast<const char*>(out.data()), size});
      }
      if (with_analysis_) {
        for (std::string& event : house_.Events()) events_.push_back(std::move(event));
      }
      std::vector<Outlet::Taken> taken;
      {
        const std::scoped_lock lock(house_.taken_mutex);
        taken.swap(house_.taken);
      }
      version2_.Stored(taken, *registry(), now);
      version2_.Tick(*registry(), now);
      writer_.Flush();
      for (const std::string& datagram : house_.Received()) {
        agent_.link.Receive(now,
                            {reinterpret_cast<const uint8_t*>(datagram.data()), datagram.size()});
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  Version2::Result Handle(std::string_view bytes) {
    return version2_.Handle({bytes, false, {house_.peer(), {}}}, *registry(), policy_,
                            ProtocolNow());
  }
  void AddEvents(uint64_t count) {
    agent_.AddEvents(count);
    agent_.link.EventsAdded(ProtocolNow(), false);
  }

  House house_;
  UdpWriter writer_{house_.socket};
  Version2 version2_{house_.channel, writer_, 0};
  Policy policy_;
  SessionAgent agent_{"001", "web01", kKey,
                      [](uint64_t number) { return "1:/x:event " + std::to_string(number); },
                      house_.random};
  std::vector<std::string> events_;
  bool with_analysis_ = true;
  int lose_ = 0, sent_ = 0;
};

TEST_F(Version2Test, DeliversEventsOnceInOrderAndAcknowledgesThem) {
  agent_.link.Start(ProtocolNow());
  AddEvents(500);
  ASSERT_TRUE(Run([&] { return agent_.acknowledged() == 500; }));
  ASSERT_EQ(events_.size(), 500U);
  for (size_t i = 0; i < events_.size(); ++i) {
    EXPECT_EQ(events_[i], "1:[001] (web01) any->/x:event " + std::to_string(i + 1));
  }
  EXPECT_TRUE(agent_.stay);
  EXPECT_EQ(web()->version, 2);
}

TEST_F(Version2Test, TellsAgentsWhatIsStoredAndThenThatTheManagerStops) {
  with_analysis_ = false;
  agent_.link.Start(ProtocolNow());
  AddEvents(10);
  ASSERT_TRUE(Run([&] { return house_.channel.counters.events == 10; }));
  house_.Events();
  const auto has_answers = [&] {
    const std::scoped_lock lock(house_.taken_mutex);
    return !house_.taken.empty();
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!has_answers() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // As a receiver does at the end: the last answers, then good-bye.
  version2_.Stored(std::exchange(house_.taken, {}), *registry(), ProtocolNow());
  version2_.CloseAll(*registry(), ProtocolNow());
  ASSERT_TRUE(Run([&] { return agent_.closed >= 0; }));
  EXPECT_EQ(agent_.closed, static_cast<int>(secure::v2::CloseReason::kStop));
  EXPECT_EQ(agent_.acknowledged(), 10U);
}

TEST_F(Version2Test, EndsTheSessionOfAnAgentWhoseKeyIsGone) {
  agent_.link.Start(ProtocolNow());
  ASSERT_TRUE(Run([&] { return agent_.link.established(); }));
  ASSERT_TRUE(Run([&] { return web()->version == 2; }));
  const RegistryPtr before = registry();
  const AgentPtr agent = web();
  house_.SetKeys("002 other any " + kKey + "\n");
  version2_.Close(agent, *before->Of(*agent).key, secure::v2::CloseReason::kKeyRemoved,
                  ProtocolNow());
  ASSERT_TRUE(Run([&] { return agent_.closed >= 0; }));
  EXPECT_EQ(agent_.closed, static_cast<int>(secure::v2::CloseReason::kKeyRemoved));
  EXPECT_EQ(agent->session, nullptr);
  EXPECT_EQ(house_.responder.connections(), 0U);
}

TEST_F(Version2Test, LosesNothingWhereTheNetworkLosesSome) {
  lose_ = 3;
  agent_.link.Start(ProtocolNow());
  ASSERT_TRUE(Run([&] { return agent_.link.established(); }));
  AddEvents(300);
  ASSERT_TRUE(Run([&] { return agent_.acknowledged() == 300; }));
  EXPECT_EQ(events_.size(), 300U);
}

TEST_F(Version2Test, AcknowledgesNothingBeforeAnalysisdHasAnswered) {
  with_analysis_ = false;
  agent_.link.Start(ProtocolNow());
  AddEvents(10);
  ASSERT_TRUE(Run([&] { return house_.channel.counters.events == 10; }));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  Run([&] { return std::chrono::steady_clock::now() > deadline; });
  EXPECT_EQ(agent_.acknowledged(), 0U);
  with_analysis_ = true;
  ASSERT_TRUE(Run([&] { return agent_.acknowledged() == 10; }));
  EXPECT_EQ(events_.size(), 10U);
}

TEST_F(Version2Test, CountsWhatMustNotGoOnAsTaken) {
  SessionAgent::MakeEvent bad = [](uint64_t number) {
    return number % 2 == 0 ? std::string("1:(other) any->/x:t") : std::string("1:/x:good");
  };
  SessionAgent liar("001", "web01", kKey, bad, house_.random);
  liar.AddEvents(4);
  liar.link.Start(ProtocolNow());
  std::array<uint8_t, secure::v2::kMaxDatagram> out;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (liar.acknowledged() < 4 && std::chrono::steady_clock::now() < deadline) {
    const auto now = ProtocolNow();
    while (const size_t size = liar.link.NextDatagram(now, out)) {
      Handle({reinterpret_cast<const char*>(out.data()), size});
    }
    for (std::string& event : house_.Events()) events_.push_back(std::move(event));
    Run([] { return true; });
    std::vector<Outlet::Taken> taken;
    {
      const std::scoped_lock lock(house_.taken_mutex);
      taken.swap(house_.taken);
    }
    version2_.Stored(taken, *registry(), now);
    version2_.Tick(*registry(), now);
    writer_.Flush();
    for (const std::string& datagram : house_.Received()) {
      liar.link.Receive(now, {reinterpret_cast<const uint8_t*>(datagram.data()), datagram.size()});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(liar.acknowledged(), 4U);
  EXPECT_EQ(events_.size(), 2U);
}

TEST_F(Version2Test, KeepsWhatTheAgentSaysOfItself) {
  agent_.link.Start(ProtocolNow());
  ASSERT_TRUE(Run([&] {
    const std::scoped_lock lock(web()->mutex);
    return web()->session != nullptr && web()->session->has_status;
  }));
  EXPECT_EQ(web()->session->uname, agent_.uname);
  EXPECT_EQ(web()->pending_text, agent_.uname);
  EXPECT_TRUE(web()->session->save_hello);
}

TEST_F(Version2Test, CarriesRequestsAndFiles) {
  agent_.link.Start(ProtocolNow());
  ASSERT_TRUE(Run([&] {
    const std::scoped_lock lock(web()->mutex);
    return web()->session != nullptr && web()->session->link.info().established;
  }));
  const auto content = secure::v2::MakeFileContent(std::string(20'000, 'x'));
  {
    const std::scoped_lock lock(web()->mutex);
    EXPECT_NE(web()->session->link.SendControl("execd restart-ossec0", ProtocolNow()), 0U);
    SendMergedFile(house_.channel, web(), content);
  }
  version2_.Send(web(), *registry(), ProtocolNow());
  writer_.Flush();
  ASSERT_TRUE(Run([&] { return !agent_.files.empty() && !agent_.controls.empty(); }));
  EXPECT_THAT(agent_.controls, ElementsAre("execd restart-ossec0"));
  EXPECT_THAT(agent_.files, ElementsAre("merged.mg"));
  EXPECT_EQ(agent_.file, content->bytes);
}

TEST_F(Version2Test, AppliesPolicyAddressAndKeys) {
  std::array<uint8_t, secure::v2::kMaxDatagram> out;
  agent_.link.Start(ProtocolNow());
  const size_t size = agent_.link.NextDatagram(ProtocolNow(), out);
  const std::string hello(reinterpret_cast<const char*>(out.data()), size);
  house_.SetKeys("001 web01 10.0.0.0/8 " + kKey + "\n");
  EXPECT_EQ(Handle(hello), Version2::Result::kUnknown);
  house_.SetKeys("002 db any " + kKey + "\n");
  EXPECT_EQ(Handle(hello), Version2::Result::kUnknown);
  house_.SetKeys("001 web01 any " + std::string(64, 'b') + "\n");
  EXPECT_EQ(Handle(hello), Version2::Result::kHandled);
  house_.SetKeys("001 web01 any " + kKey + "\n");
  policy_.v2 = false;
  EXPECT_EQ(Handle(hello), Version2::Result::kHandled);
  writer_.Flush();
  EXPECT_THAT(house_.Received(), IsEmpty());
  policy_.v2 = true;
  EXPECT_EQ(Handle(hello), Version2::Result::kHandled);
  writer_.Flush();
  EXPECT_EQ(house_.WaitForDatagrams(), 1U);
}

TEST_F(Version2Test, NeverAnswersWithMoreThanItGot) {
  std::string garbage(512, '\0');
  for (int type = 0; type < 256; ++type) {
    for (const size_t length : {1U, 2U, 3U, 15U, 16U, 17U, 34U, 35U, 61U, 62U, 79U, 511U, 512U}) {
      garbage[0] = static_cast<char>(0xF2);
      garbage[1] = 2;
      garbage[2] = static_cast<char>(type);
      Handle(std::string_view(garbage).substr(0, length));
      writer_.Flush();
      for (const std::string& answer : house_.Received()) EXPECT_LE(answer.size(), length);
    }
  }
}

}  // namespace
}  // namespace ospatrol::remoted
