// Files that have not changed for a while are not read again at each look. Whatever happens to one
// of them must be found by the next look all the same, without any notice of the kernel: nothing
// here calls FileWatcher::Dispatch.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/sqlite.h"
#include "collector.h"
#include "files.h"
#include "logcollector/file_facts.h"

namespace ospatrol::logcollector {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

class QuietFilesTest : public testing::Test {
 protected:
  QuietFilesTest() {
    fs::create_directory(logs_);
    const base::Fd fd = OpenLog(directory_.path());
    local_ = HasPresentFacts(fd.get());
  }

  void Start(const std::vector<fs::path>& files) {
    std::vector<config::LocalFileSection> sections;
    for (const fs::path& file : files) sections.push_back(Collector::Section(file));
    collector_.emplace(directory_ / "state.db");
    collector_->Configure(sections);
  }

  // One round of the daemon. True when it had to look closer at a file.
  bool Round(seconds since_the_last = seconds(2)) {
    collector_->Wait(since_the_last);
    const bool looked = collector_->sources.Poll(collector_->now);
    collector_->Offer(sink_);
    sink_.AnswerAll();
    return looked;
  }

  // Until nothing is left to do: then only a change can make a difference.
  void Settle() {
    for (int rounds = 0; rounds < 10; ++rounds) Round();
    if (local_) {
      ASSERT_FALSE(Round());
    }
  }

  // Texts since the last call; notices by their first word behind "ossec: ".
  std::vector<std::string> New() {
    std::vector<std::string> texts;
    for (; seen_ < sink_.judged.size(); ++seen_) {
      const std::string& message = sink_.judged[seen_];
      if (message.find(":ossec: File rotated") != std::string::npos) {
        texts.push_back("ROTATED");
      } else if (message.find(":ossec: File size reduced") != std::string::npos) {
        texts.push_back("REDUCED");
      } else {
        texts.push_back(message.substr(message.rfind(':') + 1));
      }
    }
    return texts;
  }

  TemporaryDirectory directory_;
  fs::path logs_ = directory_ / "logs", log_ = logs_ / "app.log";
  bool local_ = false;
  FakeSink sink_;
  std::optional<Collector> collector_;
  size_t seen_ = 0;
};

TEST_F(QuietFilesTest, AreNotReadAgain) {
  if (!local_) GTEST_SKIP() << "the temporary directory is in a file system that is always read";
  Write(log_, "old\n");
  Start({log_, logs_ / "missing.log", directory_ / "missing" / "too.log"});
  Append(log_, "1\n");
  Settle();
  EXPECT_THAT(New(), ElementsAre("1"));
  EXPECT_FALSE(collector_->sources.HasPending());
  EXPECT_FALSE(collector_->sources.HasWork());
  EXPECT_FALSE(Round());
}

// Two changes can bear the same time: the second one must not be taken for the first.
TEST_F(QuietFilesTest, AreReadOnceMoreWhenTheTimeOfTheirLastChangeIsOver) {
  Write(log_, "");
  Start({log_});
  EXPECT_TRUE(Round());
  EXPECT_TRUE(Round(seconds(1)));
  EXPECT_TRUE(Round(seconds(1)));
  EXPECT_TRUE(Round(seconds(1)));
  if (local_) {
    EXPECT_FALSE(Round(seconds(1)));
  }
  Append(log_, "1\n");
  EXPECT_TRUE(Round(seconds(120)));
  EXPECT_TRUE(Round(seconds(120)));
  EXPECT_THAT(New(), ElementsAre("1"));
}

TEST_F(QuietFilesTest, AreNotQuietWhileAnAnswerIsMissing) {
  Write(log_, "");
  Start({log_});
  Settle();
  Append(log_, "1\n");
  for (int rounds = 0; rounds < 5; ++rounds) {
    collector_->Wait(seconds(2));
    EXPECT_TRUE(collector_->sources.Poll(collector_->now));
    collector_->Offer(sink_);
  }
  // The receiver has gone with it.
  for (const auto& event : sink_.in_flight) event.from->Rewind();
  sink_.LoseInFlight();
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("1"));
}

TEST_F(QuietFilesTest, AnIncompleteLineStillBecomesDue) {
  Write(log_, "");
  Start({log_});
  Settle();
  Append(log_, "part");
  Round();
  EXPECT_TRUE(collector_->sources.HasPending());
  Round(seconds(6));
  EXPECT_THAT(New(), ElementsAre("part"));
  Settle();
  EXPECT_FALSE(collector_->sources.HasPending());
}

TEST_F(QuietFilesTest, ATruncationIsTriedAgainUntilItCanBeStored) {
  Write(log_, "");
  Start({log_});
  Append(log_, "a1\n");
  Settle();
  base::Database database(directory_ / "state.db");
  database.Execute(
      "CREATE TRIGGER full BEFORE INSERT ON files BEGIN SELECT RAISE(ABORT, 'full'); END");
  Write(log_, "b1\n");
  for (int rounds = 0; rounds < 5; ++rounds) EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("a1"));
  database.Execute("DROP TRIGGER full");
  Round();
  EXPECT_THAT(New(), ElementsAre("REDUCED", "b1"));
}

struct Change {
  const char* name;
  std::function<void(const fs::path& log)> apply;
  std::vector<std::string> expected;
};

void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }

class ChangeOfAQuietFile : public QuietFilesTest, public testing::WithParamInterface<Change> {};

TEST_P(ChangeOfAQuietFile, IsFoundByTheNextLook) {
  Write(log_, "");
  Write(logs_ / "other", "other1\n");
  Start({log_});
  Append(log_, "a1\na2\n");
  Settle();
  EXPECT_THAT(New(), ElementsAre("a1", "a2"));
  GetParam().apply(log_);
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAreArray(GetParam().expected));
}

// As long as what was there.
constexpr const char* kSameSize = "b1\nb2\n";

const Change kChanges[] = {
    {"Appended", [](const fs::path& log) { Append(log, "a3\n"); }, {"a3"}},
    {"ReplacedByRename",
     [](const fs::path& log) {
       Append(log, "a3\n");
       fs::rename(log, log.native() + ".1");
       Write(log, "b1\n");
     },
     {"ROTATED", "a3", "b1"}},
    {"AnotherFileRenamedOverIt",
     [](const fs::path& log) { fs::rename(log.parent_path() / "other", log); },
     {"ROTATED", "other1"}},
    {"RenamedAndStillWritten",
     [](const fs::path& log) {
       fs::rename(log, log.native() + ".1");
       Append(log.native() + ".1", "a3\n");
     },
     {"a3"}},
    {"Truncated", [](const fs::path& log) { Write(log, "b1\n"); }, {"REDUCED", "b1"}},
    {"TruncatedToNothing", [](const fs::path& log) { fs::resize_file(log, 0); }, {"REDUCED"}},
    {"TruncatedAndGrownToTheSameSize",
     [](const fs::path& log) { Write(log, kSameSize); },
     {"REDUCED", "b1", "b2"}},
    {"OverwrittenWithItsTimeSetBack",
     [](const fs::path& log) {
       const auto before = fs::last_write_time(log);
       Write(log, kSameSize);
       fs::last_write_time(log, before);
     },
     {"REDUCED", "b1", "b2"}},
    {"DeletedAndCreatedAgain",
     [](const fs::path& log) {
       fs::remove(log);
       Write(log, kSameSize);
     },
     {"ROTATED", "b1", "b2"}},
    {"CopiedAndTruncated",
     [](const fs::path& log) {
       Append(log, "a3\n");
       fs::copy_file(log, log.native() + ".1");
       Write(log, "b1\n");
     },
     {"REDUCED", "a3", "b1"}},
    {"DirectoryReplaced",
     [](const fs::path& log) {
       Append(log, "a3\n");
       fs::rename(log.parent_path(), log.parent_path().native() + ".old");
       fs::create_directory(log.parent_path());
       Write(log, "b1\n");
     },
     {"ROTATED", "a3", "b1"}},
    {"DirectoryDeletedAndCreatedAgain",
     [](const fs::path& log) {
       fs::remove_all(log.parent_path());
       fs::create_directory(log.parent_path());
       Write(log, kSameSize);
     },
     {"ROTATED", "b1", "b2"}},
};

INSTANTIATE_TEST_SUITE_P(Each, ChangeOfAQuietFile, testing::ValuesIn(kChanges),
                         [](const auto& change) { return std::string(change.param.name); });

TEST_F(QuietFilesTest, AMissingFileIsReadAsSoonAsItIsThere) {
  const fs::path deep = logs_ / "app" / "today" / "deep.log";
  const fs::path link = logs_ / "link.log";
  fs::create_symlink(directory_ / "target.log", link);
  Start({log_, deep, link});
  Settle();
  Write(log_, "1\n");
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("1"));
  Settle();
  fs::create_directories(deep.parent_path());
  Write(deep, "2\n");
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("2"));
  Settle();
  Write(directory_ / "target.log", "3\n");
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("3"));
}

struct Arrival {
  const char* name;
  std::function<void(const fs::path& log)> apply;
};

void PrintTo(const Arrival& arrival, std::ostream* out) { *out << arrival.name; }

class ArrivalInAQuietDirectory : public QuietFilesTest,
                                 public testing::WithParamInterface<Arrival> {};

TEST_P(ArrivalInAQuietDirectory, IsFoundByTheNextLook) {
  fs::create_directory(directory_ / "full");
  Write(directory_ / "full" / log_.filename(), "1\n");
  Start({log_});
  Settle();
  GetParam().apply(log_);
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("1"));
}

fs::path Full(const fs::path& log) {
  return log.parent_path().parent_path() / "full" / log.filename();
}

const Arrival kArrivals[] = {
    {"Written", [](const fs::path& log) { Write(log, "1\n"); }},
    {"RenamedToIt", [](const fs::path& log) { fs::rename(Full(log), log); }},
    {"HardLink", [](const fs::path& log) { fs::create_hard_link(Full(log), log); }},
    {"Link", [](const fs::path& log) { fs::create_symlink(Full(log), log); }},
    {"DirectoryReplaced",
     [](const fs::path& log) {
       fs::remove_all(log.parent_path());
       fs::rename(Full(log).parent_path(), log.parent_path());
     }},
    {"DirectoryReplacedByALink",
     [](const fs::path& log) {
       fs::remove_all(log.parent_path());
       fs::create_symlink(Full(log).parent_path(), log.parent_path());
     }},
};

INSTANTIATE_TEST_SUITE_P(Each, ArrivalInAQuietDirectory, testing::ValuesIn(kArrivals),
                         [](const auto& arrival) { return std::string(arrival.param.name); });

TEST_F(QuietFilesTest, ADanglingLinkIsLookedAtUntilItsTargetIsThere) {
  Start({log_});
  Settle();
  // The directory of the link does not change when the target comes.
  fs::create_symlink(directory_ / "target", log_);
  Settle();
  Write(directory_ / "target", "1\n");
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("1"));
}

TEST_F(QuietFilesTest, ADirectoryThatComesWithItsFileIsNoticed) {
  const fs::path deep = logs_ / "app" / "today" / "deep.log";
  Start({deep});
  Settle();
  fs::create_directory(logs_ / "app");
  Settle();
  fs::create_directory(logs_ / "app" / "today");
  Settle();
  Write(deep, "1\n");
  EXPECT_TRUE(Round());
  fs::remove_all(logs_ / "app");
  Round(LogSource::kLinger);  // until then it is kept open
  Settle();
  fs::create_directories(deep.parent_path());
  Write(deep, "2\n");
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("1", "ROTATED", "2"));
}

TEST_F(QuietFilesTest, ALinkIsFollowedToItsNewTarget) {
  Write(directory_ / "day1", "");
  Write(directory_ / "day2", "2\n");
  fs::create_symlink(directory_ / "day1", log_);
  Start({log_});
  Append(directory_ / "day1", "1\n");
  Settle();
  fs::remove(log_);
  fs::create_symlink(directory_ / "day2", log_);
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("1", "ROTATED", "2"));
}

TEST_F(QuietFilesTest, AFifoIsAlwaysRead) {
  ASSERT_EQ(::mkfifo(log_.c_str(), 0600), 0);
  Start({log_});
  for (int rounds = 0; rounds < 5; ++rounds) EXPECT_TRUE(Round());
  Append(log_, "1\n");
  EXPECT_TRUE(Round());
  EXPECT_THAT(New(), ElementsAre("1"));
}

}  // namespace
}  // namespace ospatrol::logcollector
