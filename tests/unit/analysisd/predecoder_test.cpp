#include "analysisd/predecoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "../pattern/vectors.h"
#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

constexpr std::string_view kServer = "(localhost)";

// "host|program|log" after the header was split off; "(null)" = unset.
std::string Split(std::string_view text, bool extended = false, std::string_view location = "x",
                  char kind = '1') {
  EngineOptions options;
  options.server_name = kServer;
  options.predecode_extended = extended;
  Event event;
  event.Assign(kind, location, text, 0);
  Predecode(event, options);
  const auto shown = [](std::string_view value) {
    return IsSet(value) ? std::string(value) : std::string("(null)");
  };
  return shown(event.hostname) + "|" + shown(event.program_name) + "|" + shown(event.log);
}

TEST(Predecoder, AgreesWithTheVectors) {
  // The vectors have a log here that lost its end (rules-and-decoders 1.4, defect); the text must
  // stay whole.
  const std::string kCorrected = "Dec 29 10:00:01 web1 auth|security:info sshd[99] from bob";
  std::ifstream file(OSPATROL_TEST_DATA "/regex-vectors.tsv");
  ASSERT_TRUE(file.is_open());
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    const auto columns = base::Split(line, '\t');
    if (columns[0] != "predecode") continue;
    ++rows;
    const std::string input = pattern::Unescape(columns[2]);
    std::string expected = pattern::Unescape(columns[4]);
    for (char& c : expected) c = c == '\x1f' ? '|' : c;
    if (input == kCorrected) expected = "web1|(null)|auth|security:info sshd[99] from bob";
    EXPECT_EQ(Split(input), expected) << input;
  }
  EXPECT_EQ(rows, 62);
}

TEST(Predecoder, TakesTheHostOfAnAgentFromTheLocation) {
  EXPECT_EQ(Split("Dec 29 10:00:01 h p[1]: m", false, "(web1) 10.0.0.5->/var/log/x"),
            "(web1) 10.0.0.5->/var/log/x|p|m");
}

TEST(Predecoder, LeavesTheTextOfStateRoutesAlone) {
  for (const char kind : {'3', '8', '9'}) {
    EXPECT_EQ(Split("Dec 29 10:00:01 h p[1]: m", false, "x", kind),
              "(localhost)|(null)|Dec 29 10:00:01 h p[1]: m");
  }
  EXPECT_EQ(Split("x y", false, "(a) b->syscheck", '8'), "(a) b->syscheck|(null)|x y");
}

TEST(Predecoder, TreatsAnEmptyProgramNameAsUnset) {
  EXPECT_EQ(Split("Dec 29 10:00:01 : message"), "(localhost)|(null)|message");
  EXPECT_EQ(Split("Dec 29 10:00:01 h : message"), "h|(null)|message");
}

TEST(Predecoder, SplitsAllDigitsOfTheProcessId) {
  EXPECT_EQ(Split("Dec 29 10:00:01 h p[123456789012]: m"), "h|p|m");
  EXPECT_EQ(Split("Dec 29 10:00:01 h p[]: m"), "h|(null)|p[]: m");
}

TEST(Predecoder, KeepsOddAixLinesWhole) {
  EXPECT_EQ(Split("Dec 29 10:00:01 h a|b:c"), "h|(null)|a|b:c");
  EXPECT_EQ(Split("Dec 29 10:00:01 h a|b:c "), "h|(null)|a|b:c ");
  EXPECT_EQ(Split("Dec 29 10:00:01 h a|b c"), "h|(null)|a|b c");
  EXPECT_EQ(Split("Dec 29 10:00:01 h a|B:c su: x"), "h|(null)|a|B:c su: x");
  EXPECT_EQ(Split("Dec 29 10:00:01 h a|b:c su[12]: x"), "h|su|x");
}

TEST(Predecoder, SkipsSolarisMessageIdsOnlyBehindAProgram) {
  EXPECT_EQ(Split("Dec 29 10:00:01 h p: [ID 1 a.b] [ID 2] x"), "h|p|[ID 2] x");
  EXPECT_EQ(Split("Dec 29 10:00:01 h p: [ID 1 a.b"), "h|p|[ID 1 a.b");
  EXPECT_EQ(Split("Dec 29 10:00:01 h [ID 1 a.b] x"), "h|(null)|[ID 1 a.b] x");
}

TEST(Predecoder, ReadsAslGroupsOnceAndStopsAtTheHost) {
  const std::string head = "[Time 2006.12.28 15:53:55 UTC] ";
  EXPECT_EQ(Split(head + "[Sender a] [Sender b] [Message m] [Host h] [Message n]"), "h|a|m");
  EXPECT_EQ(Split(head + "[Message has [brackets] in it] [Sender s] [Host h]"),
            "h|s|has [brackets");
  EXPECT_EQ(Split(head + "[Sender s] [Message open"),
            "(localhost)|s| UTC] [Sender s] [Message open");
  EXPECT_EQ(Split(head + "[Host open"), "(localhost)|(null)| UTC] [Host open");
}

TEST(Predecoder, CountsTheGermanMarchAsTwoCharactersInEveryForm) {
  EXPECT_EQ(Split("M\xc3\xa4r 02 17:30:52 h"), "(localhost)|(null)|h");
  EXPECT_EQ(Split("M\xc3\xa4r 02 17:30:5"), "(localhost)|(null)|M\xc3\xa4r 02 17:30:5");
}

TEST(Predecoder, NeverReadsBeyondShortTexts) {
  const std::vector<std::string> lines = {
      "Dec 29 10:00:01 host p[1]: message of some length",
      "2007-06-14T15:48:55.335-04:00 h p[3]: iso frac3",
      "01/28/1979-09:13:16.240702  [**] [1:1:1]",
      "[Time 2006.12.28 15:53:55 UTC] [Sender sshd] [Message error: PAM x] [Host mac1]",
      "1140804070.368  11623 192.168.0.1 TCP_MISS/200",
      "M\xc3\xa4r 02 17:30:52 h p[1]: x"};
  for (const std::string& line : lines) {
    for (size_t length = 0; length <= line.size(); ++length) {
      Split(std::string_view(line).substr(0, length), false);
      Split(std::string_view(line).substr(0, length), true);
    }
  }
}

struct ExtendedCase {
  std::string_view text, split;
};

class ExtendedForms : public testing::TestWithParam<ExtendedCase> {};

TEST_P(ExtendedForms, AreSplitOnRequestOnly) {
  const ExtendedCase& form = GetParam();
  EXPECT_EQ(Split(form.text, true), form.split);
  EXPECT_EQ(Split(form.text, false), "(localhost)|(null)|" + std::string(form.text));
}

INSTANTIATE_TEST_SUITE_P(
    Predecoder, ExtendedForms,
    testing::Values(
        ExtendedCase{"2007-06-14T15:48:55Z h p[3]: m", "h|p|m"},
        ExtendedCase{"2007-06-14T15:48:55.123456Z h p[3]: a longer message",
                     "h|p|a longer message"},
        ExtendedCase{"2007-06-14T15:48:55.123456789-07:00 h p[3]: m", "h|p|m"},
        ExtendedCase{"2007-06-14T15:48:55+02:00 h p: s", "h|p|s"},
        ExtendedCase{"<165>1 2003-10-11T22:14:15.003Z host app 111 ID47 - msg", "host|app|msg"},
        ExtendedCase{"1 2003-10-11T22:14:15.003Z host app 111 ID47 - msg", "host|app|msg"},
        ExtendedCase{"1 - - - - - -", "(localhost)|(null)|"},
        ExtendedCase{R"(1 2003-10-11T22:14:15Z h a 1 - [x@1 k="a\"]b"][y z="1"] m n)", "h|a|m n"},
        ExtendedCase{"1 2003-10-11T22:14:15Z h a 1 - - \xEF\xBB\xBFm", "h|a|m"}));

TEST(Predecoder, LeavesWhatIsNearlyAnExtendedFormWhole) {
  for (const std::string_view text :
       {"2007-06-14T15:48:55 h p: x", "2007-06-14T15:48:55.Z h p: x", "2007-06-14T15:48:55Zh p: x",
        "<165>2 2003-10-11T22:14:15.003Z host app 111 ID47 - msg", "1 x h a p m - msg",
        "1 2003-10-11T22:14:15Z h a 1 - [open m", "1 2003-10-11T22:14:15Z h a 1 -",
        "<>1 2003-10-11T22:14:15Z h a 1 - - m", "1 - h a 1 2 -m"}) {
    EXPECT_EQ(Split(text, true), "(localhost)|(null)|" + std::string(text));
  }
}

}  // namespace
}  // namespace ospatrol::analysisd
