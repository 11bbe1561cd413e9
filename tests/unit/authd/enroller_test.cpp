#include "authd/enroller.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>

#include "../temporary_directory.h"
#include "base/files.h"
#include "secure/agent_info.h"

namespace ospatrol::authd {
namespace {

using testing::HasSubstr;
using Outcome = Enrolment::Outcome;

constexpr base::Seconds kNow = 1'763'719'200;

class EnrollerTest : public testing::Test {
 protected:
  EnrollerTest() : home_(directory_.path()) {
    for (const char* folder : {"etc", "var/run", "queue/agent-info", "backup/agents"}) {
      std::filesystem::create_directories(home_ / folder);
    }
  }

  void WriteKeys(const std::string& text) {
    std::ofstream(home_ / paths::kClientKeys, std::ios::app) << text;
  }
  std::string Keys() const { return base::ReadFile(home_ / paths::kClientKeys); }

  Enrolment Enrol(std::string_view name, std::string_view source = "192.0.2.5") {
    if (!enroller_) enroller_ = std::make_unique<Enroller>(home_, settings_);
    return enroller_->Enrol(name, secure::PeerAddress::Parse(source, 40000).value(), kNow);
  }

  // An agent's sign of life, `seconds` ago.
  void Heard(const std::string& file, int seconds) {
    const auto path = home_ / fmt::format("queue/agent-info/{}", file);
    std::ofstream(path) << "Linux\n";
    const timespec times[2] = {{kNow - seconds, 0}, {kNow - seconds, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  TemporaryDirectory directory_;
  Home home_;
  Settings settings_;
  std::unique_ptr<Enroller> enroller_;
};

TEST_F(EnrollerTest, GivesIdsFrom1024On) {
  WriteKeys("001 old any k\n1025 taken any k\n1026 #*#*\n");
  const Enrolment first = Enrol("web");
  ASSERT_EQ(first.outcome, Outcome::kAdded);
  EXPECT_EQ(first.agent->id, "1024");
  EXPECT_EQ(first.agent->address_text, "any");
  EXPECT_EQ(Enrol("db").agent->id, "1027");
  EXPECT_THAT(Keys(), HasSubstr(secure::FormatKeyLine(*first.agent) + "\n"));
}

TEST_F(EnrollerTest, AppendsANumberToATakenName) {
  EXPECT_EQ(Enrol("web").agent->name, "web");
  EXPECT_EQ(Enrol("web").agent->name, "web2");
  EXPECT_EQ(Enrol("web").agent->name, "web3");
}

TEST_F(EnrollerTest, GivesUpAfterAllNumbers) {
  std::string keys;
  for (int i = 1; i <= 255; ++i) {
    keys += fmt::format("{:03} web{} any k\n", i, i == 1 ? "" : std::to_string(i));
  }
  WriteKeys(keys);
  const Enrolment enrolment = Enrol("web");
  EXPECT_EQ(enrolment.outcome, Outcome::kBadName);
  EXPECT_THAT(enrolment.text, HasSubstr("web255"));
}

TEST_F(EnrollerTest, RefusesBadNamesWithTheReason) {
  const std::pair<std::string, const char*> bad[] = {{"a/b", "letters"},
                                                     {"../etc", "letters"},
                                                     {"a..b", "'..'"},
                                                     {"bad name", "letters"},
                                                     {std::string(128, 'a'), "128 bytes"},
                                                     {"a\x01z", "letters"}};
  for (const auto& [name, reason] : bad) {
    const Enrolment enrolment = Enrol(name);
    EXPECT_EQ(enrolment.outcome, Outcome::kBadName) << name;
    EXPECT_THAT(enrolment.text, HasSubstr(reason));
  }
  EXPECT_FALSE(std::filesystem::exists(home_ / paths::kClientKeys));
}

TEST_F(EnrollerTest, ChecksTheSourceAddressAlsoWhenItIsNotUsed) {
  WriteKeys("007 fixed 192.0.2.5 k\n");
  const Enrolment enrolment = Enrol("web");
  EXPECT_EQ(enrolment.outcome, Outcome::kAddressTaken);
  EXPECT_EQ(enrolment.text, "007");
  EXPECT_EQ(Enrol("web", "192.0.2.6").outcome, Outcome::kAdded);
}

TEST_F(EnrollerTest, UsesTheSourceAddressOnDemand) {
  settings_.source_address = true;
  EXPECT_EQ(Enrol("web").agent->address_text, "192.0.2.5");
  EXPECT_EQ(Enrol("web").outcome, Outcome::kAddressTaken);
  EXPECT_EQ(Enrol("web", "2001:DB8:0::7").agent->address_text, "2001:db8::7");
}

TEST_F(EnrollerTest, SeesWhatOthersChange) {
  EXPECT_EQ(Enrol("web").agent->id, "1024");
  WriteKeys("1025 other any k\n");
  EXPECT_EQ(Enrol("other").agent->name, "other2");
  EXPECT_EQ(Enrol("third").agent->id, "1027");
  std::filesystem::remove(home_ / paths::kClientKeys);
  EXPECT_EQ(Enrol("web").agent->id, "1024") << "the administrator started anew";
}

TEST_F(EnrollerTest, LetsAgentsMakeRoomThatWereNotHeardForLong) {
  settings_.force_after = std::chrono::seconds(3600);
  WriteKeys("001 web any k1\n002 db any k2\n003 never any k3\n");
  Heard("web-any", 3599);
  Heard("db-any", 3600);
  EXPECT_EQ(Enrol("web").agent->name, "web2") << "heard lately: a number is appended";
  const Enrolment db = Enrol("db");
  EXPECT_EQ(db.agent->name, "db");
  EXPECT_EQ(db.replaced, "002");
  EXPECT_EQ(Enrol("never").replaced, "003");
  EXPECT_THAT(Keys(), HasSubstr("002 #*#*"));
  size_t backups = 0;
  for (const auto& entry : std::filesystem::directory_iterator(home_ / "backup/agents")) {
    EXPECT_TRUE(entry.path().filename().native().starts_with("db-any-20"));
    EXPECT_EQ(base::ReadFile(entry.path() / "agent-info"), "Linux\n");
    ++backups;
  }
  EXPECT_EQ(backups, 1U);
}

TEST_F(EnrollerTest, LetsAgentsOfTheSameAddressMakeRoom) {
  settings_.force_after = std::chrono::seconds(60);
  WriteKeys("001 web 192.0.2.5 k1\n");
  Heard("web-192.0.2.5", 10);
  EXPECT_EQ(Enrol("new").outcome, Outcome::kAddressTaken);
  Heard("web-192.0.2.5", 100);
  const Enrolment enrolment = Enrol("web");
  EXPECT_EQ(enrolment.outcome, Outcome::kAdded);
  EXPECT_EQ(enrolment.agent->name, "web");
  EXPECT_EQ(enrolment.replaced, "001");
}

TEST_F(EnrollerTest, HasALimitOfAgents) {
  settings_.max_agents = 2;
  Enrol("a1");
  Enrol("a2");
  const Enrolment enrolment = Enrol("a3");
  EXPECT_EQ(enrolment.outcome, Outcome::kFailed);
  EXPECT_THAT(enrolment.text, HasSubstr("max_agents"));
}

TEST_F(EnrollerTest, SaysWhenTheFileCannotBeWritten) {
  std::filesystem::create_directories(home_ / paths::kClientKeys);
  EXPECT_EQ(Enrol("web").outcome, Outcome::kFailed);
}

TEST_F(EnrollerTest, GivesEachIdAndNameOnce) {
  Enroller enroller(home_, settings_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        enroller.Enrol("web", secure::PeerAddress::Parse("192.0.2.1", 1).value(), kNow);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const secure::LoadedKeys loaded = secure::KeysFile(home_).Load();
  EXPECT_TRUE(loaded.problems.empty());
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const secure::AgentKey& agent : loaded.keys.entries()) {
    ids.insert(agent.id);
    names.insert(agent.name);
  }
  EXPECT_EQ(ids.size(), 100U);
  EXPECT_EQ(names.size(), 100U);
}

}  // namespace
}  // namespace ospatrol::authd
