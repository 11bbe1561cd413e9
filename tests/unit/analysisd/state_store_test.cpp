#include "analysisd/state_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "../file_size_limit.h"
#include "../temporary_directory.h"
#include "base/error.h"
#include "base/files.h"

namespace ospatrol::analysisd {
namespace {

using ::testing::HasSubstr;

constexpr base::Seconds kNow = 1715083200;
const ipc::SenderId kSender{1, 2, 3};
const ipc::SenderId kOther{4, 5, 6};

class StateStoreTest : public ::testing::Test {
 protected:
  StateStoreTest() { Open(); }

  void Open(base::Seconds now = kNow) {
    store_.reset();
    store_ = std::make_unique<StateStore>(home_, now);
  }
  void Commit() {
    std::string failure;
    ASSERT_TRUE(store_->Commit(failure)) << failure;
    EXPECT_FALSE(store_->HasChanges());
  }
  // As after kill -9: what was not committed is gone.
  void Kill() { Open(); }
  void Put(const std::string& name, std::string_view content) const {
    std::filesystem::create_directories((home_ / name).parent_path());
    std::ofstream(home_ / name, std::ios::binary) << content;
  }

  TemporaryDirectory directory_;
  Home home_{directory_.path()};
  std::unique_ptr<StateStore> store_;
};

TEST_F(StateStoreTest, FirstSeenLinesAreNewOnceAndSurvive) {
  EXPECT_TRUE(store_->RememberFirstSeen("sshd  root"));
  EXPECT_FALSE(store_->RememberFirstSeen("sshd  root"));
  EXPECT_TRUE(store_->KnowsFirstSeen("sshd  root"));
  EXPECT_FALSE(store_->KnowsFirstSeen("other"));
  Commit();
  Kill();
  EXPECT_FALSE(store_->RememberFirstSeen("sshd  root"));
  EXPECT_FALSE(store_->HasChanges());
}

TEST_F(StateStoreTest, NothingOfAnUncommittedGroupRemains) {
  store_->RememberFirstSeen("line");
  store_->Ignore("ignored");
  store_->StoreHostPorts("10.0.0.1", " 22");
  store_->StoreOutput("gw1", 533, "output");
  store_->RememberRootcheck("rootcheck", "text", kNow);
  store_->StoreFile("syscheck", "/etc/hosts", {"+++", "1:2"}, kNow);
  store_->SetBaselineComplete("syscheck");
  store_->SetLastNumber(kSender, 7, kNow);
  EXPECT_TRUE(store_->HasChanges());
  Kill();
  EXPECT_TRUE(store_->RememberFirstSeen("line"));
  EXPECT_FALSE(store_->IsIgnored("ignored"));
  EXPECT_FALSE(store_->HostPorts("10.0.0.1"));
  EXPECT_FALSE(store_->LastOutput("gw1", 533));
  EXPECT_TRUE(store_->RememberRootcheck("rootcheck", "text", kNow));
  EXPECT_FALSE(store_->LastFile("syscheck", "/etc/hosts").record);
  EXPECT_FALSE(store_->BaselineComplete("syscheck"));
  EXPECT_EQ(store_->LastNumber(kSender), 0u);
}

TEST_F(StateStoreTest, EverythingIsTrueAtOnceAndAfterAKill) {
  const auto expect_all = [this] {
    EXPECT_TRUE(store_->IsIgnored("ignored"));
    EXPECT_EQ(store_->HostPorts("10.0.0.1"), " 22,80");
    EXPECT_EQ(store_->LastOutput("gw1", 533), std::string("out\nput\0x", 9));
    EXPECT_FALSE(store_->RememberRootcheck("rootcheck", "text", kNow));
    const auto file = store_->LastFile("(web1) 10.0.0.0/24->syscheck", "/etc/hosts").record;
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->counter + file->sum, "!++3:4");
    EXPECT_TRUE(store_->BaselineComplete("(web1) 10.0.0.0/24->syscheck"));
    EXPECT_FALSE(store_->BaselineComplete("syscheck"));
    EXPECT_EQ(store_->LastNumber(kSender), 9u);
  };
  store_->Ignore("ignored");
  store_->StoreHostPorts("10.0.0.1", " 22");
  store_->StoreHostPorts("10.0.0.1", " 22,80");
  store_->StoreOutput("gw1", 533, std::string("out\nput\0x", 9));
  EXPECT_TRUE(store_->RememberRootcheck("rootcheck", "text", kNow));
  store_->StoreFile("(web1) 10.0.0.0/24->syscheck", "/etc/hosts", {"+++", "1:2"}, kNow);
  store_->StoreFile("(web1) 10.0.0.0/24->syscheck", "/etc/hosts", {"!++", "3:4"}, kNow);
  store_->SetBaselineComplete("(web1) 10.0.0.0/24->syscheck");
  store_->SetLastNumber(kSender, 8, kNow);
  store_->SetLastNumber(kSender, 9, kNow);
  expect_all();
  Commit();
  expect_all();
  Commit();
  Kill();
  expect_all();
}

TEST_F(StateStoreTest, EventNumbersOfSixtyFourBitsAreKept) {
  store_->SetLastNumber(kSender, ~uint64_t{0} - 1, kNow);
  Commit();
  Kill();
  EXPECT_EQ(store_->LastNumber(kSender), ~uint64_t{0} - 1);
}

TEST_F(StateStoreTest, SendersUnseenForAMonthAreForgotten) {
  store_->SetLastNumber(kSender, 7, kNow);
  Commit();
  store_->SetLastNumber(kOther, 8, kNow + 20 * 86400);
  Commit();
  store_->ForgetOldSenders(kNow + 30 * 86400);
  EXPECT_EQ(store_->LastNumber(kSender), 7u);
  store_->ForgetOldSenders(kNow + 30 * 86400 + 1);
  EXPECT_EQ(store_->LastNumber(kSender), 0u);
  EXPECT_EQ(store_->LastNumber(kOther), 8u);
  Commit();
  Open(kNow + 30 * 86400 + 1);
  EXPECT_EQ(store_->LastNumber(kSender), 0u);
  EXPECT_EQ(store_->LastNumber(kOther), 8u);
  Open(kNow + 60 * 86400);
  EXPECT_EQ(store_->LastNumber(kOther), 0u);
}

TEST_F(StateStoreTest, TextFilesAreTakenOverOnce) {
  store_.reset();
  std::filesystem::remove_all(home_ / "queue/fts");
  Put("queue/fts/fts-queue", "sshd  root\n\nlast line without line feed");
  Put("queue/fts/ig-queue", "sshd a\r\n");
  Put("queue/fts/hostinfo", "10.0.0.1 22\n10.0.0.10 80\n10.0.0.1 22,25\nbroken\n");
  Open();
  EXPECT_TRUE(store_->KnowsFirstSeen("sshd  root"));
  EXPECT_TRUE(store_->KnowsFirstSeen("last line without line feed"));
  EXPECT_FALSE(store_->KnowsFirstSeen(""));
  EXPECT_TRUE(store_->IsIgnored("sshd a"));
  EXPECT_EQ(store_->HostPorts("10.0.0.1"), " 22,25");
  EXPECT_EQ(store_->HostPorts("10.0.0.10"), " 80");
  Put("queue/fts/fts-queue", "added later\n");
  Open();
  EXPECT_FALSE(store_->KnowsFirstSeen("added later"));
}

TEST_F(StateStoreTest, OutputsAreFilesWithHostNamesMadeSafe) {
  store_->StoreOutput("gw1.example.org", 533, "plain");
  store_->StoreOutput("../../etc", 534, "evil");
  store_->StoreOutput("", 535, "nameless");
  Commit();
  EXPECT_EQ(base::ReadFile(home_ / "queue/diff/gw1.example.org/533/last-entry"),
            std::string("plain\0", 6));
  EXPECT_FALSE(std::filesystem::exists(home_ / "etc"));
  EXPECT_EQ(store_->LastOutput("../../etc", 534), "evil");
  EXPECT_EQ(store_->LastOutput("", 535), "nameless");
}

TEST(PathComponent, IsSafeAndTellsNamesApart) {
  EXPECT_EQ(PathComponent("gw1-a_b.c"), "gw1-a_b.c");
  EXPECT_THAT(PathComponent("a/b"), ::testing::MatchesRegex("a_b-[0-9a-f]{8}"));
  EXPECT_NE(PathComponent("a/b"), PathComponent("a_b"));
  EXPECT_NE(PathComponent("a/b"), PathComponent("a b"));
  for (const char* name : {"", ".", "..", "../x", ".hidden"}) {
    EXPECT_NE(PathComponent(name).front(), '.') << name;
    EXPECT_EQ(PathComponent(name).find('/'), std::string::npos);
  }
  EXPECT_LT(PathComponent(std::string(5000, 'x')).size(), 255u);
}

TEST_F(StateStoreTest, KeepsTheTenNewestRecordsOfAFile) {
  for (int i = 0; i < 15; ++i) {
    store_->StoreFile("syscheck", "/x", {"+++", std::to_string(i)}, kNow + i);
    if (i % 4 == 0) Commit();
  }
  Commit();
  EXPECT_EQ(store_->LastFile("syscheck", "/x").record->sum, "14");
  store_.reset();
  base::Database database(home_ / "queue/syscheck/fim.db");
  base::Statement query(database,
                        "SELECT count(*), min(CAST(sum AS INTEGER)), max(time) FROM history");
  ASSERT_TRUE(query.Step());
  EXPECT_EQ(query.Integer(0), 10);
  EXPECT_EQ(query.Integer(1), 4);
  EXPECT_EQ(query.Integer(2), kNow + 13);
}

TEST_F(StateStoreTest, RootcheckKeepsFirstAndLastTime) {
  EXPECT_TRUE(store_->RememberRootcheck("rootcheck", "text", kNow));
  Commit();
  EXPECT_FALSE(store_->RememberRootcheck("rootcheck", "text", kNow + 5));
  EXPECT_TRUE(store_->RememberRootcheck("(web1) any->rootcheck", "text", kNow + 5));
  Commit();
  store_.reset();
  base::Database database(home_ / "queue/rootcheck/rootcheck.db");
  base::Statement query(database, "SELECT first, last FROM message WHERE location = 'rootcheck'");
  ASSERT_TRUE(query.Step());
  EXPECT_EQ(query.Integer(0), kNow);
  EXPECT_EQ(query.Integer(1), kNow + 5);
}

TEST_F(StateStoreTest, CommitThatFailsKeepsItsChangesForTheNext) {
  store_->RememberFirstSeen("line");
  store_->StoreOutput("gw1", 533, "output");
  store_->SetLastNumber(kSender, 7, kNow);
  Put("queue/diff/gw1", "a file where a directory should be");
  std::string failure;
  EXPECT_FALSE(store_->Commit(failure));
  EXPECT_THAT(failure, HasSubstr("queue/diff/gw1"));
  EXPECT_TRUE(store_->HasChanges());
  EXPECT_EQ(store_->LastOutput("gw1", 533), "output");
  std::filesystem::remove(home_ / "queue/diff/gw1");
  Commit();
  Kill();
  EXPECT_TRUE(store_->KnowsFirstSeen("line"));
  EXPECT_EQ(store_->LastNumber(kSender), 7u);
}

TEST_F(StateStoreTest, MaintenanceAcceptsCountsAndListsChanges) {
  std::filesystem::create_directories(home_ / "logs");
  EXPECT_FALSE(store_->AcceptSilently("(web1) any->syscheck", "modify", "/x", kNow));
  Put("queue/syscheck/.(web1) any.maint",
      "#!maint\nenabled_at=1715083000\npending_end=0\nsilent_updates=4\n");
  EXPECT_TRUE(store_->AcceptSilently("(web1) any->syscheck", "modify", "/x", kNow));
  EXPECT_TRUE(store_->AcceptSilently("(web1) any->syscheck-registry", "new", "a\nb", kNow));
  EXPECT_FALSE(store_->AcceptSilently("syscheck", "modify", "/x", kNow));
  Commit();
  EXPECT_EQ(base::ReadFile(home_ / "queue/syscheck/.(web1) any.maint"),
            "#!maint\nenabled_at=1715083000\npending_end=0\nsilent_updates=6\n");
  const std::string list = base::ReadFile(home_ / "logs/fim_maintenance.log");
  EXPECT_THAT(list, HasSubstr(" (web1) any->syscheck modify /x\n"));
  EXPECT_THAT(list, HasSubstr(" (web1) any->syscheck-registry new a\\nb\n"));
}

TEST_F(StateStoreTest, MaintenanceEndsWithTheScanThatBeganAfterTheRequest) {
  std::filesystem::create_directories(home_ / "logs");
  const std::string marker = "queue/syscheck/.(web1) any.maint";
  Put(marker, "#!maint\nenabled_at=1\npending_end=1\nsilent_updates=0\nend_requested_at=" +
                  std::to_string(kNow) + "\n");
  store_->RememberRootcheck("(web1) any->rootcheck", "Starting syscheck scan.", kNow - 10);
  store_->SetBaselineComplete("(web1) any->syscheck");
  Commit();
  EXPECT_TRUE(std::filesystem::exists(home_ / marker));
  store_->RememberRootcheck("(web1) any->rootcheck", "Starting syscheck scan.", kNow + 10);
  store_->SetBaselineComplete("(web1) any->syscheck-registry");
  Commit();
  EXPECT_TRUE(std::filesystem::exists(home_ / marker));
  store_->SetBaselineComplete("(web1) any->syscheck");
  Commit();
  EXPECT_FALSE(std::filesystem::exists(home_ / marker));
  EXPECT_FALSE(store_->AcceptSilently("(web1) any->syscheck", "modify", "/x", kNow));
}

TEST_F(StateStoreTest, WhatCannotBeReadIsNotTakenForNew) {
  store_->StoreFile("syscheck", "/x", {"+++", "1"}, kNow);
  store_->RememberRootcheck("rootcheck", "text", kNow);
  Commit();
  base::Database(home_ / "queue/syscheck/fim.db").Execute("DROP TABLE file");
  base::Database(home_ / "queue/rootcheck/rootcheck.db").Execute("DROP TABLE message");
  const EngineState::KnownFile known = store_->LastFile("syscheck", "/x");
  EXPECT_FALSE(known.record);
  EXPECT_FALSE(known.readable);
  EXPECT_FALSE(store_->RememberRootcheck("rootcheck", "other text", kNow));
}

TEST_F(StateStoreTest, MaintenanceListIsWholeAfterAWriteThatStoppedHalfWay) {
  std::filesystem::create_directories(home_ / "logs");
  Put("queue/syscheck/.syscheck.maint", "#!maint\nenabled_at=1\npending_end=0\nsilent_updates=4\n");
  for (int i = 0; i < 20; ++i) {
    store_->AcceptSilently("syscheck", "new", "/file" + std::to_string(i), kNow);
  }
  {
    const FileSizeLimit limit(500);
    std::string failure;
    EXPECT_FALSE(store_->Commit(failure));
    EXPECT_TRUE(store_->HasChanges());
  }
  Commit();
  const std::string list = base::ReadFile(home_ / "logs/fim_maintenance.log");
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 20);
  EXPECT_EQ(base::ReadFile(home_ / "queue/syscheck/.syscheck.maint"),
            "#!maint\nenabled_at=1\npending_end=0\nsilent_updates=24\n");
}

TEST_F(StateStoreTest, ForgetsTheLeastRecentlyUsedFirstSeenLinesAboveTheLimit) {
  store_->SetFirstSeenLimit(3);
  for (const char* line : {"a", "b", "c"}) EXPECT_TRUE(store_->RememberFirstSeen(line));
  EXPECT_FALSE(store_->RememberFirstSeen("a"));  // used: newer than b
  EXPECT_TRUE(store_->RememberFirstSeen("d"));   // b goes
  EXPECT_FALSE(store_->KnowsFirstSeen("b"));
  Commit();
  Kill();
  store_->SetFirstSeenLimit(3);
  for (const char* line : {"c", "a", "d"}) EXPECT_TRUE(store_->KnowsFirstSeen(line)) << line;
  EXPECT_FALSE(store_->KnowsFirstSeen("b"));
  EXPECT_TRUE(store_->RememberFirstSeen("e"));  // c goes: the order is kept over the restart
  EXPECT_FALSE(store_->KnowsFirstSeen("c"));
  store_->SetFirstSeenLimit(1);
  Commit();
  Kill();
  EXPECT_TRUE(store_->KnowsFirstSeen("e"));
  EXPECT_FALSE(store_->KnowsFirstSeen("a"));
}

TEST_F(StateStoreTest, RefusesADatabaseThatIsNone) {
  store_.reset();
  Put("queue/fts/fts.db", std::string(5000, 'x'));
  EXPECT_THROW(StateStore(home_, kNow), Error);
}

}  // namespace
}  // namespace ospatrol::analysisd
