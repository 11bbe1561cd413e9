#include "remoted/syslog_framer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ospatrol::remoted {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Result {
  std::vector<std::string> messages;
  bool fine = true;
  size_t cut = 0;
};

Result Feed(const std::vector<std::string>& parts, bool end = true) {
  SyslogFramer framer;
  Result result;
  const auto sink = [&](std::string_view message) { result.messages.emplace_back(message); };
  for (const std::string& part : parts) result.fine = result.fine && framer.Feed(part, sink);
  if (end) framer.End(sink);
  result.cut = framer.cut();
  return result;
}

std::vector<std::string> InBytes(const std::string& text) {
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  return bytes;
}

TEST(SyslogFramer, GivesOneMessageALine) {
  EXPECT_THAT(Feed({"a\nb\nc\n"}).messages, ElementsAre("a", "b", "c"));
  EXPECT_THAT(Feed({"a\nb", "b\nc"}).messages, ElementsAre("a", "bb", "c"));
  EXPECT_THAT(Feed(InBytes("<13>one\n<14>two\n")).messages, ElementsAre("<13>one", "<14>two"));
}

TEST(SyslogFramer, LeavesOutEmptyLinesAndCarriageReturns) {
  EXPECT_THAT(Feed({"a\r\n\n\r\nb\n"}).messages, ElementsAre("a", "b"));
}

TEST(SyslogFramer, TakesALastLineWithoutItsEnd) {
  EXPECT_THAT(Feed({"a\nrest"}).messages, ElementsAre("a", "rest"));
  EXPECT_THAT(Feed({"a\nrest"}, false).messages, ElementsAre("a"));
  EXPECT_THAT(Feed({"12"}).messages, ElementsAre("12"));
}

TEST(SyslogFramer, CountsOctetsWhenTheConnectionBeginsWithALength) {
  EXPECT_THAT(Feed({"5 hello7 <13>a b"}).messages, ElementsAre("hello", "<13>a b"));
  EXPECT_THAT(Feed(InBytes("5 hello11 two\nlines xx")).messages,
              ElementsAre("hello", "two\nlines x"));
  EXPECT_THAT(Feed({"5 hello\n5 world\n"}).messages, ElementsAre("hello", "world"));
}

TEST(SyslogFramer, ReadsLinesThatOnlyLookCounted) {
  EXPECT_THAT(Feed({"2026 Mar 1 a\n"}).fine, true);
  EXPECT_THAT(Feed({"2026-03-01 a\nb\n"}).messages, ElementsAre("2026-03-01 a", "b"));
  EXPECT_THAT(Feed({"0 a\n"}).messages, ElementsAre("0 a"));
  EXPECT_THAT(Feed({"123456789 a\n"}).messages, ElementsAre("123456789 a"));
  EXPECT_THAT(Feed({"12345", "6789 a\n"}).messages, ElementsAre("123456789 a"));
}

TEST(SyslogFramer, EndsAConnectionWhoseCountingBreaks) {
  EXPECT_FALSE(Feed({"5 hellox"}).fine);
  EXPECT_FALSE(Feed({"5 hello0 "}).fine);
  EXPECT_FALSE(Feed({"5 hello12345678"}).fine);
  EXPECT_FALSE(Feed({"9999999 "}).fine);
  EXPECT_THAT(Feed({"5 hellox"}).messages, ElementsAre("hello"));
}

TEST(SyslogFramer, CutsWhatIsTooLongAndGoesOn) {
  const std::string much(3 * SyslogFramer::kMaxText, 'x');
  const Result lines = Feed({much, much + "\nnext\n"});
  EXPECT_THAT(lines.messages, ElementsAre(much.substr(0, SyslogFramer::kMaxText), "next"));
  EXPECT_EQ(lines.cut, 1U);
  const Result counted = Feed({"20000 " + std::string(20000, 'y') + "4 next"});
  EXPECT_THAT(counted.messages, ElementsAre(std::string(SyslogFramer::kMaxText, 'y'), "next"));
  EXPECT_EQ(counted.cut, 1U);
}

TEST(SyslogFramer, GivesTheSameHoweverTheBytesAreSplit) {
  const std::string text = "3 abc12 <13>Mar 1 xy5 12 34";
  const auto whole = Feed({text}).messages;
  for (size_t at = 0; at <= text.size(); ++at) {
    EXPECT_EQ(Feed({text.substr(0, at), text.substr(at)}).messages, whole) << at;
  }
}

TEST(SyslogFramer, SaysNothingOfNothing) { EXPECT_THAT(Feed({"", ""}).messages, IsEmpty()); }

}  // namespace
}  // namespace ospatrol::remoted
