#include "authd/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "enrolment_house.h"

namespace ospatrol::authd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class WorkerPoolTest : public testing::Test {
 protected:
  std::unique_ptr<Client> Connect(WorkerPool& pool) {
    auto [server, client] = EnrolmentHouse::Sockets();
    pool.Serve(house_.service(), house_.context(), std::move(server), EnrolmentHouse::peer());
    return std::make_unique<Client>(std::move(client));
  }
  static bool IsIdle(const WorkerPool& pool) {
    const Clock::time_point until = Clock::now() + Client::kPatience;
    while (pool.active() > 0 && Clock::now() < until) std::this_thread::sleep_for(milliseconds(5));
    return pool.active() == 0;
  }

  EnrolmentHouse house_;
};

TEST_F(WorkerPoolTest, ServesManyAtTheSameTimeAndGivesEachAKeyOfItsOwn) {
  constexpr int kClients = 32;
  WorkerPool pool(4);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(Connect(pool));
  std::vector<std::string> answers(kClients);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kClients; ++i) {
    threads.emplace_back(
        [&, i] { answers[i] = clients[i]->Ask("OSSEC A:'host" + std::to_string(i % 8) + "'\n"); });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> ids, names;
  for (const std::string& answer : answers) {
    ASSERT_THAT(answer, StartsWith("OSSEC K:'"));
    const size_t space = answer.find(' ', 9);
    ids.insert(answer.substr(9, space - 9));
    names.insert(answer.substr(space + 1, answer.find(' ', space + 1) - space - 1));
    EXPECT_THAT(house_.Keys(), HasSubstr(answer.substr(9, answer.rfind('\'') - 9) + "\n"));
  }
  EXPECT_EQ(ids.size(), size_t{kClients});
  EXPECT_EQ(names.size(), size_t{kClients});
  EXPECT_TRUE(IsIdle(pool));
}

TEST_F(WorkerPoolTest, LetsNobodyWaitForASilentPeer) {
  WorkerPool pool(1);
  const auto silent = Connect(pool);
  const auto half = Connect(pool);
  ASSERT_TRUE(half->Handshake());
  EXPECT_THAT(Connect(pool)->Ask("OSSEC A:'web'\n"), StartsWith("OSSEC K:'"));
  const Clock::time_point until = Clock::now() + Client::kPatience;
  while (pool.active() > 2 && Clock::now() < until) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(pool.active(), 2U) << "the other two are there still";
}

TEST_F(WorkerPoolTest, CountsAConnectionUntilItEnds) {
  WorkerPool pool(2);
  EXPECT_EQ(pool.active(), 0U);
  auto client = Connect(pool);
  EXPECT_EQ(pool.active(), 1U);
  client.reset();
  EXPECT_TRUE(IsIdle(pool));
}

TEST_F(WorkerPoolTest, KeepsTheServiceOfConnectionsThatBeganBeforeAReload) {
  WorkerPool pool(1);
  const auto before = Connect(pool);
  ASSERT_TRUE(before->Handshake());
  house_.SetPassword("secret");
  const auto after = Connect(pool);
  ASSERT_TRUE(before->Send("OSSEC A:'one'\n"));
  EXPECT_THAT(before->ReadToTheEnd(), StartsWith("OSSEC K:'"));
  EXPECT_THAT(after->Ask("OSSEC A:'two'\n"), StartsWith("ERROR: Invalid password."));
}

TEST_F(WorkerPoolTest, DrainsByClosingThoseWhoHaveNotAsked) {
  WorkerPool pool(2);
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 6; ++i) silent.push_back(Connect(pool));
  ASSERT_TRUE(silent[0]->Handshake());
  const Clock::time_point began = Clock::now();
  pool.Drain(seconds(600));
  // They would be given up by then.
  EXPECT_LT(Clock::now() - began, Connection::kRequestTime);
  EXPECT_EQ(pool.active(), 0U);
  EXPECT_THAT(silent[0]->ReadToTheEnd(), IsEmpty());
  EXPECT_TRUE(silent[0]->ended());
}

TEST_F(WorkerPoolTest, AnswersInFullWhoHasAskedWhenItDrains) {
  for (int round = 0; round < 10; ++round) {
    WorkerPool pool(1);
    const auto client = Connect(pool);
    ASSERT_TRUE(client->Handshake());
    ASSERT_TRUE(client->Send("OSSEC A:'web'\n"));
    std::thread reader([&] {
      const std::string answer = client->ReadToTheEnd();
      // Asked and answered, or closed before the question was read: never half an answer, never a
      // key that its host does not have.
      if (answer.empty()) return;
      EXPECT_THAT(answer, StartsWith("OSSEC K:'"));
      EXPECT_THAT(answer, testing::EndsWith("'\n\n"));
    });
    std::this_thread::sleep_for(milliseconds(round));
    pool.Drain(seconds(60));
    EXPECT_EQ(pool.active(), 0U);
    reader.join();
  }
}

TEST_F(WorkerPoolTest, EndsItsConnectionsWithItself) {
  std::unique_ptr<Client> client;
  {
    WorkerPool pool(2);
    client = Connect(pool);
    ASSERT_TRUE(client->Handshake());
  }
  EXPECT_THAT(client->ReadToTheEnd(), IsEmpty());
  EXPECT_TRUE(client->ended());
}

}  // namespace
}  // namespace ospatrol::authd
