#include "execd/response_table.h"

#include <gmock/gmock.h>

namespace ospatrol::execd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ResponseTable Parse(std::string_view text, std::vector<std::string>* problems = nullptr) {
  std::vector<std::string> own;
  return ResponseTable::Parse(
      text, [](const std::string& name) { return !name.ends_with(".cmd"); },
      problems != nullptr ? *problems : own);
}

TEST(ResponseTable, KnowsNamesFilesAndTimes) {
  std::vector<std::string> problems;
  const ResponseTable table = Parse(
      "restart-ossec0 - restart-ossec.cmd - 0\nrestart-ossec0 - restart-ossec.sh - 0\n"
      "host-deny600 - host-deny.sh - 600\n",
      &problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(table.size(), 2U);
  ASSERT_NE(table.Find("restart-ossec0"), nullptr);
  EXPECT_EQ(table.Find("restart-ossec0")->executable, "restart-ossec.sh");
  EXPECT_EQ(table.Find("host-deny600")->timeout.count(), 600);
  EXPECT_EQ(table.Find("host-deny60"), nullptr);
}

TEST(ResponseTable, TakesTheFirstOfTwoFilesThatExistAndKeepsTheFirstTime) {
  const ResponseTable table =
      Parse("a5 - one.sh - 5\na5 - two.sh - 7\nb5 - b.cmd - 5\nb5 - b.sh - 7\n");
  EXPECT_EQ(table.Find("a5")->executable, "one.sh");
  EXPECT_EQ(table.Find("b5")->executable, "b.sh");
  EXPECT_EQ(table.Find("b5")->timeout.count(), 5);
}

TEST(ResponseTable, KnowsANameWhoseFileIsMissing) {
  const ResponseTable table = Parse("a0 - a.cmd - 0\n");
  EXPECT_TRUE(table.Knows("a0"));
  EXPECT_EQ(table.Find("a0"), nullptr);
}

TEST(ResponseTable, SkipsWrongLinesAndNamesThem) {
  std::vector<std::string> problems;
  const ResponseTable table = Parse(
      "a0 - a.sh\n"
      "b0 - ../b.sh - 0\n"
      "c0 - .c - 0\n"
      "d0 - d.sh - soon\n"
      "e0 - e.sh - 99999999999\n"
      "f0 - f.sh - 1\n",
      &problems);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_THAT(
      problems,
      ElementsAre("line 1: expected NAME - EXECUTABLE - SECONDS",
                  "line 2: the executable must be the name of a file in active-response/bin",
                  "line 3: the executable must be the name of a file in active-response/bin",
                  "line 4: the time must be a number of seconds up to 315360000",
                  "line 5: the time must be a number of seconds up to 315360000"));
}

}  // namespace
}  // namespace ospatrol::execd
