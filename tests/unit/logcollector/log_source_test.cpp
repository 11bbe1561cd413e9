#include "logcollector/log_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "collector.h"
#include "files.h"
#include "logcollector/packed_files.h"

namespace ospatrol::logcollector {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LogSourceTest : public testing::Test {
 protected:
  LogSourceTest() { Restart(); }

  // As after kill -9: nothing is saved.
  void Restart() {
    collector_.reset();
    collector_.emplace(directory_ / "state.db");
    collector_->Configure({Collector::Section(log_, from_beginning_)});
  }

  // As on a machine where the collector never ran.
  void StartForTheFirstTime() {
    collector_.reset();
    for (const char* end : {"", "-wal", "-shm"}) {
      std::filesystem::remove(directory_ / (std::string("state.db") + end));
    }
    Restart();
  }

  void ReadAndAnswer() { collector_->ReadAndAnswer(sink_); }

  // Texts that arrived since the last call, without location; notices by their first words.
  std::vector<std::string> New() {
    std::vector<std::string> texts;
    for (; seen_ < sink_.judged.size(); ++seen_) {
      const std::string& message = sink_.judged[seen_];
      const std::string prefix = "1:" + log_.native() + ":";
      if (message.starts_with(prefix)) {
        texts.push_back(message.substr(prefix.size()));
      } else if (message.starts_with("1:ossec-logcollector:ossec: File rotated (inode changed): '" +
                                     log_.native() + "'.")) {
        texts.push_back("ROTATED");
      } else if (message.starts_with(
                     "1:ossec-logcollector:ossec: File size reduced (inode remained): '" +
                     log_.native() + "'.")) {
        texts.push_back("REDUCED");
      } else {
        texts.push_back(message);
      }
    }
    return texts;
  }

  void Rename(const std::string& to) { std::filesystem::rename(log_, directory_ / to); }

  // As gzip does: the time of the original stays.
  void Pack(const std::string& name) {
    const std::filesystem::path plain = directory_ / name;
    const std::string content = base::ReadFile(plain);
    const gzFile file = gzopen((plain.native() + ".gz").c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    std::filesystem::last_write_time(plain.native() + ".gz",
                                     std::filesystem::last_write_time(plain));
    std::filesystem::remove(plain);
  }

  TemporaryDirectory directory_;
  std::filesystem::path log_ = directory_ / "app.log";
  bool from_beginning_ = false;
  FakeSink sink_;
  std::optional<Collector> collector_;
  size_t seen_ = 0;
};

TEST_F(LogSourceTest, StartsAtTheEndOfAFileItHasNeverSeen) {
  Write(log_, "old\n");
  StartForTheFirstTime();
  Append(log_, "new\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("new"));
}

TEST_F(LogSourceTest, StartsAtTheBeginningWhenToldSo) {
  from_beginning_ = true;
  Write(log_, "old\n");
  StartForTheFirstTime();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("old"));
}

TEST_F(LogSourceTest, ReadsAFileThatAppearsLaterFromItsBeginning) {
  ReadAndAnswer();
  Write(log_, "first\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("first"));
}

TEST_F(LogSourceTest, ReadsAFileBornWhileStoppedFromItsBeginning) {
  collector_->sources.Save();
  collector_.reset();
  Write(log_, "first\n");
  Restart();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("first"));
}

TEST_F(LogSourceTest, DrainsTheOldFileBeforeTheNewOne) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\n");
  ReadAndAnswer();
  Append(log_, "a2\na3 incomplete");
  Rename("app.log.1");
  Write(log_, "b1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "ROTATED", "a2", "a3 incomplete", "b1"));
}

TEST_F(LogSourceTest, StillReadsWhatALateWriterAddsToTheRotatedFile) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\n");
  ReadAndAnswer();
  Rename("app.log.1");
  Write(log_, "b1\n");
  ReadAndAnswer();
  Append(directory_ / "app.log.1", "a2\n");
  collector_->Wait(seconds(30));
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "ROTATED", "b1", "a2"));
}

TEST_F(LogSourceTest, KeepsReadingARenamedFileUntilANewOneComes) {
  Write(log_, "");
  ReadAndAnswer();
  Rename("app.log.1");
  ReadAndAnswer();
  Append(directory_ / "app.log.1", "a1\n");
  ReadAndAnswer();
  Write(log_, "b1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "ROTATED", "b1"));
}

TEST_F(LogSourceTest, ForgetsNothingWhenTheFileGetsItsNameBack) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\n");
  Rename("aside");
  Write(log_, "b1\n");
  ReadAndAnswer();
  std::filesystem::rename(directory_ / "aside", log_);
  Append(log_, "a2\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("ROTATED", "a1", "b1", "a2"));
}

TEST_F(LogSourceTest, ReadsADeletedAndRecreatedFileFromItsBeginning) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\n");
  ReadAndAnswer();
  std::filesystem::remove(log_);
  ReadAndAnswer();
  Write(log_, "b1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "ROTATED", "b1"));
}

TEST_F(LogSourceTest, ClosesADeletedFileAndStillNoticesTheNextOne) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\n");
  ReadAndAnswer();
  std::filesystem::remove(log_);
  collector_->Wait(LogSource::kLinger * 2);
  ReadAndAnswer();
  EXPECT_FALSE(collector_->sources.sources().front()->HasOpenFiles());
  Write(log_, "b1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "ROTATED", "b1"));
}

TEST_F(LogSourceTest, ContinuesAtTheBeginningAfterATruncation) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\na2\n");
  ReadAndAnswer();
  Write(log_, "b1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "a2", "REDUCED", "b1"));
}

TEST_F(LogSourceTest, NoticesATruncationThatGrewBeyondTheOldOffset) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\na2\n");
  ReadAndAnswer();
  Write(log_, "b1\nb2\nb3\nb4\nb5\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "a2", "REDUCED", "b1", "b2", "b3", "b4", "b5"));
}

TEST_F(LogSourceTest, SendsTheIncompleteLineThatWasReadBeforeATruncation) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\npart");
  ReadAndAnswer();
  Write(log_, "b1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "REDUCED", "part", "b1"));
}

TEST_F(LogSourceTest, FindsInTheCopyWhatCopytruncateTookAway) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "a1\n");
  ReadAndAnswer();
  Append(log_, "a2\na3\n");
  std::filesystem::copy_file(log_, directory_ / "app.log.1");
  Write(log_, "b1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("a1", "REDUCED", "a2", "a3", "b1"));
}

TEST_F(LogSourceTest, DoesNotTakeAnOlderFileWithTheSameHeaderForTheCopy) {
  Write(directory_ / "app.log.1", "header\nold 1\nold 2\n");
  ::usleep(20'000);  // file times have the grain of the kernel's clock tick
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "header\n");
  ReadAndAnswer();
  Write(log_, "b1\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("header", "REDUCED", "b1"));
}

TEST_F(LogSourceTest, SendsAnIncompleteLineAfterFiveQuietSeconds) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "part");
  ReadAndAnswer();
  collector_->Wait(seconds(4));
  ReadAndAnswer();
  EXPECT_THAT(New(), IsEmpty());
  collector_->Wait(seconds(2));
  ReadAndAnswer();
  Append(log_, "ial\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("part", "ial"));
}

TEST_F(LogSourceTest, GrowthKeepsAnIncompleteLineWaiting) {
  Write(log_, "");
  ReadAndAnswer();
  for (const char* piece : {"a", "b", "c"}) {
    Append(log_, piece);
    ReadAndAnswer();
    collector_->Wait(seconds(4));
  }
  Append(log_, "\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("abc"));
}

TEST_F(LogSourceTest, RepeatsNothingThatWasJudgedWithoutAnswerBeforeAKill) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n2\n3\n");
  collector_->Read(sink_);
  sink_.JudgeWithoutAnswer();
  Restart();
  Append(log_, "4\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(sink_.skipped, 3u);
}

TEST_F(LogSourceTest, LosesNothingThatWasInFlightAtAKill) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n2\n");
  collector_->Read(sink_);
  sink_.LoseInFlight();
  Restart();
  Append(log_, "3\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "2", "3"));
}

TEST_F(LogSourceTest, CutsAnIncompleteLineAtTheSamePlaceAfterAKill) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\npart");
  collector_->Read(sink_);
  collector_->Wait(seconds(6));
  collector_->Read(sink_);
  Append(log_, "ial\n3\n");
  collector_->Read(sink_);
  sink_.JudgeWithoutAnswer();
  Restart();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "part", "ial", "3"));
  EXPECT_EQ(sink_.skipped, 4u);
}

TEST_F(LogSourceTest, CountsEmptyLinesTheSameWayAfterAKill) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n\n\n2\n\n");
  collector_->Read(sink_);
  sink_.AnswerAll();
  collector_->Wait(seconds(1));
  Append(log_, "\n3\n");
  collector_->Read(sink_);
  sink_.JudgeWithoutAnswer();
  Restart();
  Append(log_, "4\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(LogSourceTest, FinishesAFileRotatedWhileStopped) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n2\n");
  collector_->Read(sink_);
  sink_.JudgeWithoutAnswer();
  collector_.reset();
  Append(log_, "3\n");
  Rename("app.log-20260812");
  Write(log_, "4\n");
  Restart();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "2", "ROTATED", "3", "4"));
}

TEST_F(LogSourceTest, FinishesAFileRotatedAndCompressedWhileStopped) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n2\n");
  collector_->Read(sink_);
  sink_.JudgeWithoutAnswer();
  collector_.reset();
  Append(log_, "3\n");
  Rename("app.log.1");
  Pack("app.log.1");
  Write(directory_ / "app.log.2", "1\n2\n older, same beginning\n");
  Pack("app.log.2");
  std::filesystem::last_write_time(
      directory_ / "app.log.2.gz",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(24));
  Write(log_, "4\n");
  Restart();
  collector_->Read(sink_);
  sink_.JudgeWithoutAnswer();
  // Killed before the answer: the same again, and nothing twice.
  Restart();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "2", "ROTATED", "3", "4"));
  Append(log_, "5\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("5"));
}

TEST_F(LogSourceTest, SaysWhatIsLostWhenTheRotatedFileIsGone) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n2\n");
  ReadAndAnswer();
  collector_.reset();
  Append(log_, "3\n");
  Rename("app.log.1");
  Pack("app.log.1");
  std::filesystem::resize_file(directory_ / "app.log.1.gz", 12);  // damaged
  Write(log_, "4\n");
  testing::internal::CaptureStderr();
  Restart();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("(9361): WARN: '" + log_.native()), HasSubstr("up to byte ")));
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "2", "ROTATED", "4"));
}

TEST_F(LogSourceTest, KeepsOnlyTheEndOfAPackedFileThatIsTooLong) {
  const std::string line(1000, 'x');
  Write(log_, "begin\n");
  Restart();
  from_beginning_ = true;
  StartForTheFirstTime();
  ReadAndAnswer();
  collector_.reset();
  std::string more;
  for (int i = 0; i < 3000; ++i) more += line + std::to_string(i) + "\n";
  Append(log_, more);
  Rename("app.log.1");
  const StoredFile row = [&] {
    PositionStore store(directory_ / "state.db");
    return store.FindByPath(log_.native()).at(0);
  }();
  Pack("app.log.1");
  const auto found = FindPacked(log_, row, 5000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->facts.size, more.size() + 6);
  std::string end(5000, '\0');
  ASSERT_EQ(::pread(found->fd.get(), end.data(), end.size(),
                    static_cast<off_t>(found->facts.size - end.size())),
            5000);
  EXPECT_EQ(end, more.substr(more.size() - 5000));
}

TEST_F(LogSourceTest, FinishesAllFilesRotatedWhileStopped) {
  Write(log_, "");
  ReadAndAnswer();
  collector_.reset();
  Append(log_, "1\n");
  ::usleep(20'000);
  Rename("app.log.2");
  Write(log_, "2\n");
  ::usleep(20'000);
  Rename("app.log.1");
  Write(log_, "3\n");
  Restart();
  ReadAndAnswer();
  const auto facts = FactsOf(log_);
  if (facts->identity.birth_ns == 0) {
    EXPECT_THAT(New(), ElementsAre("ROTATED", "1", "3"));
  } else {
    EXPECT_THAT(New(), ElementsAre("ROTATED", "1", "2", "3"));
  }
}

TEST_F(LogSourceTest, GoesOnInTheRotatedFileWhenThereIsNoNewOneYet) {
  Write(log_, "");
  ReadAndAnswer();
  collector_.reset();
  Append(log_, "1\n");
  Rename("app.log.1");
  Restart();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1"));
}

TEST_F(LogSourceTest, SaysThatAFileWasTruncatedWhileStopped) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n2\n");
  ReadAndAnswer();
  collector_->Wait(seconds(1));
  collector_.reset();
  Write(log_, "3\n4\n5\n6\n");
  Restart();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "2", "REDUCED", "3", "4", "5", "6"));
}

TEST_F(LogSourceTest, RepeatsNoLineOfARotatedFileAfterAKill) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n2\n");
  Rename("app.log.1");
  Write(log_, "3\n");
  collector_->Read(sink_);
  sink_.JudgeWithoutAnswer();
  Restart();
  Append(log_, "4\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("ROTATED", "1", "2", "3", "4"));
}

TEST_F(LogSourceTest, StopsReadingWhileTheSinkIsFullAndGoesOn) {
  Write(log_, "");
  ReadAndAnswer();
  std::string lines;
  std::vector<std::string> expected;
  for (int i = 0; i < 500; ++i) {
    expected.push_back("line " + std::to_string(i));
    lines += expected.back() + "\n";
  }
  Append(log_, lines);
  std::vector<std::string> arrived;
  for (int i = 0; i < 200 && arrived.size() < expected.size(); ++i) {
    sink_.room = 7;
    collector_->Read(sink_);
    EXPECT_LE(sink_.in_flight.size(), 7u);
    sink_.AnswerAll();
    for (std::string& text : New()) arrived.push_back(std::move(text));
  }
  EXPECT_EQ(arrived, expected);
  EXPECT_EQ(sink_.skipped, 0u);
}

TEST_F(LogSourceTest, RewindsToWhatWasAnswered) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, "1\n2\n");
  ReadAndAnswer();
  Append(log_, "3\n4\n");
  collector_->Read(sink_);
  const auto producer = sink_.in_flight.front().from;
  sink_.LoseInFlight();
  producer->Rewind();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(LogSourceTest, SkipsABacklogBeyondTheLimitUnderANewSender) {
  Write(log_, "");
  ReadAndAnswer();
  collector_.reset();
  Append(log_, "start\n");
  std::filesystem::resize_file(log_, LogSource::kCatchUpLimit + 100);
  Append(log_, "\nend\n");
  Restart();
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("end"));
  EXPECT_GT(collector_->sources.sources().front()->counters().skipped_bytes, 0u);
}

TEST_F(LogSourceTest, ReadsAFifo) {
  ASSERT_EQ(::mkfifo(log_.c_str(), 0600), 0);
  ReadAndAnswer();
  Append(log_, "one\ntwo\n");
  ReadAndAnswer();
  Append(log_, "three\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("one", "two", "three"));
}

TEST_F(LogSourceTest, NeverOpensADirectoryOrADevice) {
  std::filesystem::create_symlink("/dev/zero", log_);
  ReadAndAnswer();
  EXPECT_FALSE(collector_->sources.sources().front()->HasOpenFiles());
  std::filesystem::remove(log_);
  std::filesystem::create_directory(log_);
  ReadAndAnswer();
  EXPECT_FALSE(collector_->sources.sources().front()->HasOpenFiles());
}

TEST_F(LogSourceTest, FollowsASymbolicLinkToItsNewTarget) {
  Write(directory_ / "day1", "");
  std::filesystem::create_symlink(directory_ / "day1", log_);
  ReadAndAnswer();
  Append(directory_ / "day1", "1\n");
  ReadAndAnswer();
  Write(directory_ / "day2", "2\n");
  std::filesystem::remove(log_);
  std::filesystem::create_symlink(directory_ / "day2", log_);
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("1", "ROTATED", "2"));
}

TEST_F(LogSourceTest, DecodesAUtf16FileAlsoWhenItStartsAtItsEnd) {
  using std::string_literals::operator""s;
  Write(log_, "\xff\xfeo\0l\0d\0\n\0"s);
  StartForTheFirstTime();
  Append(log_, "n\0e\0w\0\r\0\n\0"s);
  ReadAndAnswer();
  collector_->Wait(seconds(1));
  Restart();
  Append(log_, "x\0\n\0"s);
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre("new", "x"));
}

TEST_F(LogSourceTest, CutsOverLongLinesOnceAndCountsThem) {
  Write(log_, "");
  ReadAndAnswer();
  Append(log_, std::string(300'000, 'x') + "\nnext\n");
  ReadAndAnswer();
  EXPECT_THAT(New(), ElementsAre(std::string(5887, 'x'), "next"));
  EXPECT_EQ(collector_->sources.sources().front()->counters().cut_lines, 1u);
}

}  // namespace
}  // namespace ospatrol::logcollector
