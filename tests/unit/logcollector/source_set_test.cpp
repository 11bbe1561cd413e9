#include "logcollector/source_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "collector.h"
#include "files.h"

namespace ospatrol::logcollector {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SourceSetTest : public testing::Test {
 protected:
  void Start(const std::vector<std::string>& locations) {
    collector_.emplace(directory_ / "state.db");
    Reconfigure(locations);
  }
  void Reconfigure(const std::vector<std::string>& locations) {
    std::vector<config::LocalFileSection> sections;
    for (const std::string& location : locations) {
      sections.push_back(Collector::Section(directory_ / location));
    }
    collector_->Configure(sections);
  }
  void ReadAndAnswer() { collector_->ReadAndAnswer(sink_); }
  // What the daemon does when inotify says something.
  void Notice() {
    collector_->watcher.Dispatch();
    collector_->sources.CheckNamed(collector_->now);
    collector_->Offer(sink_);
    sink_.AnswerAll();
  }

  // "name:text" of events since the last call.
  std::vector<std::string> New() {
    std::vector<std::string> texts;
    const std::string prefix = "1:" + directory_.path().native() + "/";
    for (; seen_ < sink_.judged.size(); ++seen_) {
      const std::string& message = sink_.judged[seen_];
      texts.push_back(message.starts_with(prefix) ? message.substr(prefix.size()) : message);
    }
    return texts;
  }

  TemporaryDirectory directory_;
  FakeSink sink_;
  std::optional<Collector> collector_;
  size_t seen_ = 0;
};

TEST_F(SourceSetTest, ReadsAllMatchesOfAPatternAndThoseThatComeLater) {
  Write(directory_ / "a.log", "old\n");
  Start({"*.log"});
  Append(directory_ / "a.log", "a\n");
  Write(directory_ / "b.log", "b\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), UnorderedElementsAre("a.log:a", "b.log:b"));
}

TEST_F(SourceSetTest, APatternThatMatchesNothingStartsToMatchLater) {
  Start({"*.log"});
  ReadAndAnswer();
  Write(directory_ / "a.log", "a\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a.log:a"));
}

TEST_F(SourceSetTest, SaysThatAFileOfAPatternWasRotated) {
  Write(directory_ / "a.log", "");
  Start({"*.log"});
  Append(directory_ / "a.log", "1\n");
  std::filesystem::rename(directory_ / "a.log", directory_ / "a.log.1");
  ReadAndAnswer();
  Write(directory_ / "a.log", "2\n");
  ReadAndAnswer();
  const std::vector<std::string> events = New();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0], "a.log:1");
  EXPECT_TRUE(events[1].starts_with("1:ossec-logcollector:ossec: File rotated"));
  EXPECT_EQ(events[2], "a.log:2");
}

TEST_F(SourceSetTest, DoesNotReadRotatedFilesAgainWhenThePatternMatchesThem) {
  Write(directory_ / "a.log", "");
  Start({"a.log*"});
  std::vector<std::string> texts;
  for (int generation = 1; generation <= 4; ++generation) {
    Append(directory_ / "a.log", "line " + std::to_string(generation) + "\n");
    ReadAndAnswer();
    for (int i = generation; i > 1; --i) {
      std::filesystem::rename(directory_ / ("a.log." + std::to_string(i - 1)),
                              directory_ / ("a.log." + std::to_string(i)));
    }
    std::filesystem::rename(directory_ / "a.log", directory_ / "a.log.1");
    Write(directory_ / "a.log", "");
    for (int polls = 0; polls < 4; ++polls) {
      ReadAndAnswer();
      collector_->Wait(LogSource::kLinger);
    }
  }
  for (const std::string& event : New()) {
    if (event.starts_with("a.log")) texts.push_back(event.substr(event.find(':') + 1));
  }
  EXPECT_THAT(texts, ElementsAre("line 1", "line 2", "line 3", "line 4"));
}

TEST_F(SourceSetTest, ReadsAFileOnceThatTwoLocationsName) {
  Write(directory_ / "a.log", "");
  std::filesystem::create_symlink(directory_ / "a.log", directory_ / "b.log");
  Start({"a.log", "a.log", "b.log", "*.log"});
  Append(directory_ / "a.log", "once\n");
  ReadAndAnswer();
  EXPECT_EQ(New().size(), 1u);
}

TEST_F(SourceSetTest, ExpandsTheDateInAName) {
  const std::tm today = base::LocalTime(base::WallNow());
  Start({"app-%Y%m%d.log"});
  char name[32];
  ASSERT_GT(std::strftime(name, sizeof(name), "app-%Y%m%d.log", &today), 0u);
  Write(directory_ / name, "today\n");
  ReadAndAnswer();
  if (base::LocalTime(base::WallNow()).tm_mday != today.tm_mday) GTEST_SKIP() << "it is midnight";
  EXPECT_THAT(New(), ElementsAre(std::string(name) + ":today"));
}

TEST_F(SourceSetTest, FinishesYesterdaysFileAfterARestart) {
  Write(directory_ / "yesterday.log", "");
  {
    Start({"*.log"});
    ReadAndAnswer();
    Append(directory_ / "yesterday.log", "1\n");
    collector_.reset();
  }
  // No longer matched, as a date pattern leaves a name behind.
  std::filesystem::rename(directory_ / "yesterday.log", directory_ / "yesterday.old");
  Start({"*.log"});
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("yesterday.log:1"));
}

TEST_F(SourceSetTest, AReloadKeepsPositionsAndAddsAndRemovesFiles) {
  for (const char* name : {"a", "b", "c"}) Write(directory_ / name, "");
  Start({"a", "b"});
  for (const char* name : {"a", "b", "c"}) Append(directory_ / name, "1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), UnorderedElementsAre("a:1", "b:1"));
  Reconfigure({"b", "c"});
  for (const char* name : {"a", "b", "c"}) Append(directory_ / name, "2\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), UnorderedElementsAre("b:2", "c:2"));
  Reconfigure({"a"});
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a:2"));
}

TEST_F(SourceSetTest, ManyFilesHaveTurns) {
  Start({"big", "small"});
  Write(directory_ / "big", "");
  ReadAndAnswer();
  std::string lines;
  for (int i = 0; i < 400'000; ++i) lines += "a line of the big file\n";
  Write(directory_ / "small", "small\n");
  Append(directory_ / "big", lines);
  collector_->sources.Poll(collector_->now);
  collector_->sources.Service(sink_, collector_->now);  // one turn each
  const auto small = std::find_if(sink_.in_flight.begin(), sink_.in_flight.end(),
                                  [](const auto& e) { return e.message.ends_with(":small"); });
  ASSERT_NE(small, sink_.in_flight.end());
  EXPECT_LT(sink_.in_flight.size(), 60'000u);
  EXPECT_TRUE(collector_->sources.HasWork());
}

TEST_F(SourceSetTest, AFullSinkDoesNotStarveTheOthers) {
  Start({"big", "small"});
  Write(directory_ / "big", "");
  ReadAndAnswer();
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "a line of the big file\n";
  Append(directory_ / "big", lines);
  Write(directory_ / "small", "small\n");
  for (int i = 0; i < 3; ++i) {
    sink_.room = 5;
    ReadAndAnswer();
  }
  const std::vector<std::string> events = New();
  EXPECT_NE(std::find(events.begin(), events.end(), "small:small"), events.end());
}

TEST_F(SourceSetTest, AWriteWakesItsReaderWithoutAPoll) {
  Write(directory_ / "a.log", "");
  Start({"a.log", "b*.log"});
  ReadAndAnswer();
  Append(directory_ / "a.log", "1\n");
  Write(directory_ / "b1.log", "2\n");
  Notice();
  EXPECT_THAT(New(), UnorderedElementsAre("a.log:1", "b1.log:2"));
}

TEST_F(SourceSetTest, ARotationIsSeenWithoutAPoll) {
  Write(directory_ / "a.log", "");
  Start({"a.log"});
  ReadAndAnswer();
  Append(directory_ / "a.log", "1\n");
  std::filesystem::rename(directory_ / "a.log", directory_ / "a.log.1");
  Write(directory_ / "a.log", "2\n");
  Notice();
  EXPECT_EQ(New().size(), 3u);
}

TEST_F(SourceSetTest, AReplacedDirectoryIsWatchedAgainWithoutAPoll) {
  const auto sub = directory_ / "sub";
  std::filesystem::create_directory(sub);
  Start({"sub/a.log"});
  ReadAndAnswer();
  // Often with the inode number of the old one.
  std::filesystem::remove(sub);
  std::filesystem::create_directory(sub);
  Notice();
  Write(sub / "a.log", "1\n");
  Notice();
  EXPECT_THAT(New(), ElementsAre("sub/a.log:1"));
  std::filesystem::rename(sub, directory_ / "old");
  std::filesystem::create_directory(sub);
  Notice();
  Write(sub / "a.log", "2\n");
  Notice();
  EXPECT_THAT(New(), Contains("sub/a.log:2"));
}

TEST_F(SourceSetTest, LooksAtAllFilesWhenNoticesWereLost) {
  std::ifstream limit_file("/proc/sys/fs/inotify/max_queued_events");
  int limit = 0;
  limit_file >> limit;
  if (limit < 1 || limit > 100'000) GTEST_SKIP() << "queue of " << limit << " notices";
  Write(directory_ / "a.log", "");
  Start({"a.log", "b.log"});
  ReadAndAnswer();
  for (int i = 0; i <= limit / 2; ++i) {
    Write(directory_ / "other", "");
    std::filesystem::remove(directory_ / "other");
  }
  Append(directory_ / "a.log", "1\n");
  Write(directory_ / "b.log", "2\n");
  Notice();
  EXPECT_THAT(New(), UnorderedElementsAre("a.log:1", "b.log:2"));
}

TEST_F(SourceSetTest, NothingConfiguredIsNoError) {
  Start({});
  ReadAndAnswer();
  EXPECT_THAT(New(), IsEmpty());
}

}  // namespace
}  // namespace ospatrol::logcollector
