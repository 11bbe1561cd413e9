#include "logcollector/position_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "fake_sink.h"
#include "files.h"
#include "logcollector/notices.h"

namespace ospatrol::logcollector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

StoredFile Example() {
  StoredFile file;
  file.path = "/var/log/caf\xe9.log";  // names are bytes
  file.entry = "/var/log/*.log";
  file.reader = "line";
  file.sender = NewSenderId();
  file.identity = {64769, ~uint64_t{0}, 123456789012345};
  file.position = {uint64_t{1} << 40, 77, "ls"};
  file.partial = 12;
  file.head_length = 1024;
  file.head_digest = "abc";
  file.modified_ns = 42;
  return file;
}

TEST(PositionStore, GivesBackWhatItWasGiven) {
  TemporaryDirectory directory;
  StoredFile file = Example();
  {
    PositionStore store(directory / "state.db");
    ASSERT_TRUE(store.Insert(file));
    ASSERT_TRUE(store.AddCut(file.id, (uint64_t{1} << 40) + 9));
    ASSERT_TRUE(store.AddCut(file.id, (uint64_t{1} << 40) + 5));
  }
  PositionStore store(directory / "state.db");
  const std::vector<StoredFile> found = store.FindByPath(file.path);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, file.id);
  EXPECT_EQ(found[0].entry, file.entry);
  EXPECT_EQ(found[0].reader, file.reader);
  EXPECT_EQ(found[0].sender, file.sender);
  EXPECT_EQ(found[0].identity.device, file.identity.device);
  EXPECT_EQ(found[0].identity.inode, file.identity.inode);
  EXPECT_EQ(found[0].identity.birth_ns, file.identity.birth_ns);
  EXPECT_EQ(found[0].position.offset, file.position.offset);
  EXPECT_EQ(found[0].position.number, file.position.number);
  EXPECT_EQ(found[0].position.state, file.position.state);
  EXPECT_EQ(found[0].partial, file.partial);
  EXPECT_EQ(found[0].head_length, file.head_length);
  EXPECT_EQ(found[0].head_digest, file.head_digest);
  EXPECT_EQ(found[0].modified_ns, file.modified_ns);
  EXPECT_EQ(found[0].phase, StoredFile::Phase::kCurrent);
  EXPECT_THAT(found[0].cuts, ElementsAre((uint64_t{1} << 40) + 5, (uint64_t{1} << 40) + 9));
  EXPECT_EQ(store.FindByInode(file.identity.inode).size(), 1u);
  EXPECT_EQ(store.FindUnfinished(file.entry).size(), 1u);
}

TEST(PositionStore, ForgetsCutsThatThePositionHasPassed) {
  TemporaryDirectory directory;
  PositionStore store(directory / "state.db");
  StoredFile file = Example();
  ASSERT_TRUE(store.Insert(file));
  store.AddCut(file.id, file.position.offset + 5);
  store.AddCut(file.id, file.position.offset + 9);
  file.position.offset += 5;
  ASSERT_TRUE(store.Update(file));
  EXPECT_THAT(store.FindByPath(file.path)[0].cuts, ElementsAre(file.position.offset + 4));
}

TEST(PositionStore, UndoesAFailedTransactionAndOnlyThat) {
  TemporaryDirectory directory;
  PositionStore store(directory / "state.db");
  StoredFile kept = Example(), undone = Example();
  undone.path = "/undone";
  EXPECT_TRUE(store.Atomically([&] {
    store.Insert(kept);
    EXPECT_FALSE(store.Atomically([&] {
      store.Insert(undone);
      return false;
    }));
    return true;
  }));
  EXPECT_EQ(store.FindByPath(kept.path).size(), 1u);
  EXPECT_THAT(store.FindByPath("/undone"), IsEmpty());
}

TEST(PositionStore, PurgesWhatNobodyTouchedForLong) {
  TemporaryDirectory directory;
  PositionStore store(directory / "state.db");
  StoredFile file = Example();
  ASSERT_TRUE(store.Insert(file));
  ASSERT_TRUE(store.MarkEntrySeen("/var/log/*.log", base::WallNow()));
  ASSERT_TRUE(store.Purge(base::WallNow() + PositionStore::kKeep - 10));
  EXPECT_EQ(store.FindByPath(file.path).size(), 1u);
  EXPECT_TRUE(store.EntrySeen("/var/log/*.log"));
  ASSERT_TRUE(store.Purge(base::WallNow() + PositionStore::kKeep + 10));
  EXPECT_THAT(store.FindByPath(file.path), IsEmpty());
  EXPECT_FALSE(store.EntrySeen("/var/log/*.log"));
}

TEST(PositionStore, RefusesAFileThatIsNoDatabase) {
  TemporaryDirectory directory;
  Write(directory / "state.db", std::string(8192, 'x'));
  EXPECT_THROW(PositionStore(directory / "state.db"), Error);
}

TEST(PositionStore, FailsWithoutThrowingWhenTheTableIsGone) {
  TemporaryDirectory directory;
  PositionStore store(directory / "state.db");
  base::Database(directory / "state.db").Execute("DROP TABLE files; DROP TABLE notices;");
  StoredFile file = Example();
  EXPECT_FALSE(store.Insert(file));
  EXPECT_FALSE(store.Update(file));
  EXPECT_FALSE(store.AddNotice("l", "t"));
  EXPECT_THAT(store.FindByPath(file.path), IsEmpty());
}

TEST(Notices, KeepTheirNumbersAcrossAKill) {
  TemporaryDirectory directory;
  FakeSink sink;
  {
    PositionStore store(directory / "state.db");
    const auto notices = std::make_shared<Notices>(store);
    ASSERT_TRUE(notices->Add(Notices::kCollector, "one"));
    ASSERT_TRUE(notices->Add(Notices::kCollector, "two"));
    EXPECT_TRUE(notices->OfferTo(sink));
    sink.JudgeWithoutAnswer();
  }
  PositionStore store(directory / "state.db");
  const auto notices = std::make_shared<Notices>(store);
  ASSERT_TRUE(notices->Add(Notices::kCollector, "three"));
  EXPECT_TRUE(notices->OfferTo(sink));
  sink.AnswerAll();
  EXPECT_THAT(sink.judged, ElementsAre("1:ossec-logcollector:one", "1:ossec-logcollector:two",
                                       "1:ossec-logcollector:three"));
  EXPECT_FALSE(notices->HasWaiting());
  EXPECT_THAT(store.LoadNotices(), IsEmpty());
}

// A sink without answers: Taken is said inside Offer.
class ImmediateSink final : public Sink {
 public:
  bool Offer(const std::shared_ptr<Producer>& from, const ipc::SenderId&, const Position& after,
             std::string_view message) override {
    messages.emplace_back(message);
    from->Taken(after);
    return true;
  }
  std::vector<std::string> messages;
};

TEST(Notices, GoOutOnceEachWithoutAnswers) {
  TemporaryDirectory directory;
  PositionStore store(directory / "state.db");
  const auto notices = std::make_shared<Notices>(store);
  ASSERT_TRUE(notices->Add(Notices::kCollector, "one"));
  ASSERT_TRUE(notices->Add(Notices::kCollector, "two"));
  ImmediateSink sink;
  EXPECT_TRUE(notices->OfferTo(sink));
  ASSERT_TRUE(notices->Add(Notices::kCollector, std::string(1000, 'x')));
  EXPECT_TRUE(notices->OfferTo(sink));
  ASSERT_EQ(sink.messages.size(), 3u);
  EXPECT_EQ(sink.messages[1], "1:ossec-logcollector:two");
  EXPECT_TRUE(sink.messages[2].ends_with(std::string(511, 'x')));
}

}  // namespace
}  // namespace ospatrol::logcollector
