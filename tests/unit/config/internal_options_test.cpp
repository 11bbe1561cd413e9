#include "config/internal_options.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "../problem_lines.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ospatrol::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class InternalOptionsFiles : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(prefix_ / "etc"); }
  void TearDown() override { fs::remove_all(prefix_); }

  InternalOptions Load(std::string_view product, std::string_view local) {
    std::ofstream(prefix_ / paths::kInternalOptions) << product;
    std::ofstream(prefix_ / paths::kLocalInternalOptions) << local;
    problems_ = {};
    return InternalOptions::Load(Home(prefix_), problems_);
  }
  std::vector<std::string> Lines() const { return ProblemLines(problems_); }

  const fs::path prefix_ =
      fs::path(::testing::TempDir()) / ("internal_options_test." + std::to_string(::getpid()));
  Problems problems_;
};

TEST_F(InternalOptionsFiles, LetTheLocalFileAndTheFirstLineWin) {
  const InternalOptions options =
      Load("analysisd.debug=1\nanalysisd.debug=2\nmaild.thread=1\n", "analysisd.debug=0\r\n");
  EXPECT_THAT(Lines(), ElementsAre());
  EXPECT_EQ(options.Get("analysisd.debug"), 0);
  EXPECT_EQ(options.Get("maild.thread"), 1);
  EXPECT_EQ(options.Get("analysisd.log_fw"), 1);
  EXPECT_EQ(Load("analysisd.debug=1\nanalysisd.debug=2\n", "").Get("analysisd.debug"), 1);
}

TEST_F(InternalOptionsFiles, AreOptional) {
  const InternalOptions options = InternalOptions::Load(Home(prefix_), problems_);
  EXPECT_FALSE(problems_.HasErrors());
  EXPECT_THAT(
      Lines(),
      ElementsAre("etc/internal_options.conf: does not exist; built-in defaults are used",
                  "etc/local_internal_options.conf: does not exist; built-in defaults are used"));
  EXPECT_EQ(problems_.all()[0].kind, Problem::Kind::kInfo);
  for (const InternalOption& row : InternalOptionTable()) {
    EXPECT_EQ(options.Get(row.key), row.value) << row.key;
  }
}

TEST_F(InternalOptionsFiles, KnowBothSpellingsOfTheStackSize) {
  EXPECT_EQ(Load("ossec.thread_stack_size=4096\n", "").Get("ospatrol.thread_stack_size"), 4096);
  EXPECT_EQ(Load("ospatrol.thread_stack_size=4096\n", "").Get("ossec.thread_stack_size"), 4096);
  EXPECT_THAT(Lines(), ElementsAre());
}

TEST_F(InternalOptionsFiles, CheckEveryRange) {
  for (const InternalOption& row : InternalOptionTable()) {
    EXPECT_EQ(Load(fmt::format("{}={}\n", row.key, row.min), "").Get(row.key), row.min);
    EXPECT_EQ(Load("", fmt::format("{}={}  \n", row.key, row.max)).Get(row.key), row.max);
    EXPECT_THAT(Lines(), ElementsAre());
    for (const std::string& bad : {std::to_string(row.max + 1), std::to_string(row.min - 1),
                                   std::string("x"), std::string("1k"), std::string(" 1")}) {
      EXPECT_EQ(Load("", fmt::format("\n{}={}", row.key, bad)).Get(row.key), row.value);
      EXPECT_EQ(problems_.all().front().id, 2302);
      EXPECT_THAT(Lines(),
                  ElementsAre(fmt::format("etc/local_internal_options.conf:2: {}: '{}' is not "
                                          "valid; expected a number from {} to {}",
                                          row.key, bad, row.min, row.max)));
    }
  }
}

TEST_F(InternalOptionsFiles, CountAnEmptyValueAsZero) {
  EXPECT_EQ(Load("analysisd.log_fw=\n", "").Get("analysisd.log_fw"), 0);
  EXPECT_THAT(Lines(), ElementsAre());
}

TEST_F(InternalOptionsFiles, SkipCommentsAndLinesThatBeginWithABlank) {
  Load("# analysisd.debug=9\n\n  analysisd.debug=9\n#\n\r\n", "");
  EXPECT_THAT(Lines(), ElementsAre());
}

TEST_F(InternalOptionsFiles, WarnOfLinesThatAreNoOptions) {
  const std::string lines[] = {"debug=1", "analysisd.debug", "analysisd.debug =1",
                               "\tanalysisd.debug=1", std::string(1024, 'x') + ".y=1"};
  for (const std::string& line : lines) {
    EXPECT_EQ(Load(line + "\n", "").Get("analysisd.debug"), 0);
    ASSERT_EQ(Lines().size(), 1U) << line;
    EXPECT_EQ(problems_.all()[0].kind, Problem::Kind::kWarning);
    EXPECT_EQ(problems_.all()[0].id, 1119);
    EXPECT_THAT(Lines()[0], HasSubstr("expected section.key=number without white space"));
  }
}

TEST_F(InternalOptionsFiles, WarnOfUnknownKeysWithTheNearest) {
  Load("", "analysisd.dbug=1\n");
  EXPECT_FALSE(problems_.HasErrors());
  EXPECT_THAT(Lines(), ElementsAre("etc/local_internal_options.conf:1: unknown internal option "
                                   "'analysisd.dbug' is ignored; did you mean 'analysisd.debug'?"));
}

TEST_F(InternalOptionsFiles, WarnTheProgramThatReadsThemWhenTheyHaveNoEffect) {
  std::ofstream(prefix_ / paths::kInternalOptions) << "remoted.recv_counter_flush=128\n";
  std::ofstream(prefix_ / paths::kLocalInternalOptions)
      << "remoted.recv_counter_flush=10\nremoted.syslog_tcp_worker_pool=16\n"
         "analysisd.fts_queue_size=128\n";
  const auto remarks = [&](std::string_view program) {
    Problems problems;
    InternalOptions::Load(Home(prefix_), problems, program);
    return ProblemLines(problems);
  };
  const std::string flush =
      "etc/local_internal_options.conf:1: remoted.recv_counter_flush: accepted for compatibility, "
      "no effect: counters are written once a second; remove it";
  EXPECT_THAT(remarks("ospatrol-remoted"), ElementsAre(flush));
  EXPECT_THAT(remarks("ospatrol-agentd"), ElementsAre(flush));
  EXPECT_THAT(remarks("ospatrol-analysisd"), ElementsAre(HasSubstr("analysisd.fts_queue_size")));
  EXPECT_THAT(remarks("ospatrol-authd"), ElementsAre());
}

TEST(InternalOptions, HoldWhatTheyAreGiven) {
  InternalOptions options;
  options.Set("maild.thread", 1);
  EXPECT_EQ(options.Get("maild.thread"), 1);
  EXPECT_THROW(options.Get("maild.nothing"), Error);
  EXPECT_THROW(options.Set("maild.nothing", 1), Error);
}

TEST(InternalOptions, HaveKeysOnceAndDefaultsInTheirRanges) {
  std::set<std::string_view> keys;
  for (const InternalOption& row : InternalOptionTable()) {
    EXPECT_TRUE(keys.insert(row.key).second) << row.key;
    EXPECT_LE(row.min, row.value) << row.key;
    EXPECT_LE(row.value, row.max) << row.key;
    EXPECT_FALSE(row.meaning.empty()) << row.key;
  }
}

TEST(InternalOptions, StandInTheShippedFileWithMeaningRangeAndDefault) {
  const std::string file = base::ReadFile(OSPATROL_SOURCE_DIR "/etc/internal_options.conf");
  size_t values = 0;
  for (const std::string_view line : base::Split(file, '\n')) {
    if (!line.empty() && line.front() != '#') ++values;
  }
  EXPECT_EQ(values, InternalOptionTable().size());
  for (const InternalOption& row : InternalOptionTable()) {
    const std::string effect =
        row.no_effect.empty() ? "" : fmt::format("; no effect: {}", row.no_effect);
    EXPECT_THAT(file, HasSubstr(fmt::format("# {}{} ({}-{}, {})\n{}={}\n", row.meaning, effect,
                                            row.min, row.max, row.programs, row.key, row.value)));
  }
}

TEST(InternalOptions, ShippedFilesLoadWithoutAnyRemark) {
  Problems problems;
  InternalOptions::Load(Home(OSPATROL_SOURCE_DIR), problems);
  EXPECT_TRUE(problems.all().empty());
}

}  // namespace
}  // namespace ospatrol::config
