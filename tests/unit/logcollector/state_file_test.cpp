#include "logcollector/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "collector.h"
#include "files.h"

namespace ospatrol::logcollector {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(StateFile, CountsPerFileAndInTotal) {
  TemporaryDirectory directory;
  Write(directory / "a.log", "");
  Collector collector(directory / "state.db");
  collector.Configure(
      {Collector::Section(directory / "a.log"), Collector::Section(directory / "missing.log")});
  Append(directory / "a.log", "one\ntwo\n");
  FakeSink sink;
  collector.ReadAndAnswer(sink);

  StateFile file(directory / "state");
  Append(directory / "a.log", "not read yet");
  file.Write({17, "stream", 3, {12, 5}, collector.sources.sources()});
  const std::string text = base::ReadFile(directory / "state");
  EXPECT_THAT(text, StartsWith("# State of ospatrol-logcollector since its start\n\n"
                               "connection='stream'\nframes_unanswered='3'\nfiles='2'\n"
                               "lines='2'\nbytes='8'\n"));
  EXPECT_THAT(text, HasSubstr("\nbytes_waiting='12'\nevents_sent='12'\nevents_taken='5'\n"
                              "events_in_flight='7'\nstarted='17'\n"));
  EXPECT_THAT(text, HasSubstr("file_1_path='" + (directory / "a.log").native() +
                              "'\nfile_1_open='1'\nfile_1_lines='2'\nfile_1_bytes='8'\n"));
  EXPECT_THAT(text, HasSubstr("file_2_open='0'\n"));
  EXPECT_THAT(text, HasSubstr("file_2_last_error='No such file or directory'\n"));
}

TEST(StateFile, ADirectoryThatIsMissingIsNoFault) {
  TemporaryDirectory directory;
  StateFile file(directory / "none/state");
  file.Write({});
  EXPECT_FALSE(std::filesystem::exists(directory / "none"));
}

}  // namespace
}  // namespace ospatrol::logcollector
