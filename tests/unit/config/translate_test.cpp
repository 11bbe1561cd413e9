#include "config/translate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace ospatrol::config {
namespace {

size_t LineFeeds(std::string_view text) {
  return static_cast<size_t>(std::ranges::count(text, '\n'));
}

TEST(Translate, KeepsTheNumberOfLines) {
  const std::string text =
      "\xEF\xBB\xBF<?xml\n version=\"1.0\"\n?>\nfree\ntext\n<a\n x\n=\n\"1\n2\"\n>\r\n<!-- "
      "one\ntwo -->"
      "b\n</a\n>\n<! old\n comment !>\n<c/>\n\n";
  const Translation translation = Translate(text);
  ASSERT_TRUE(translation.ok) << translation.error.cause;
  EXPECT_EQ(LineFeeds(translation.xml), LineFeeds(text));
  EXPECT_EQ(translation.lines, (std::vector<int>{6, 18}));
}

TEST(Translate, WritesOnlyAsciiAndItsOwnCodePoints) {
  std::string text = "<a>";
  for (int byte = 0; byte < 256; ++byte) {
    if (byte != '<') text += static_cast<char>(byte);
  }
  text += "</a>";
  const Translation translation = Translate(text);
  ASSERT_TRUE(translation.ok) << translation.error.cause;
  for (size_t i = 0; i < translation.xml.size(); ++i) {
    const auto c = static_cast<unsigned char>(translation.xml[i]);
    if (c < 0x80) {
      EXPECT_TRUE(c == '\n' || c == '\t' || (c >= ' ' && c != 0x7F)) << int{c};
      continue;
    }
    ASSERT_EQ(translation.xml.substr(i, 2), "\xF3\xA1");
    i += 3;
  }
}

TEST(Translate, IsReversibleForItsOwnCodePointsInTheText) {
  const std::string marks = "\xF3\xA1\x80\x8A \xF3\xA1\x83\xBF \xF3";
  const Translation translation = Translate("<a>" + marks + "</a>");
  ASSERT_TRUE(translation.ok);
  const size_t start = translation.xml.find("<a>") + 3;
  EXPECT_EQ(Restore(translation.xml.substr(start, translation.xml.find("</a>") - start)), marks);
}

TEST(Restore, LeavesPlainTextAndATornMarkAlone) {
  EXPECT_EQ(Restore("plain"), "plain");
  EXPECT_EQ(Restore(""), "");
  EXPECT_EQ(Restore("x\xF3\xA1"), "x\xF3\xA1");
}

}  // namespace
}  // namespace ospatrol::config
