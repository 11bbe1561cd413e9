#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/dialect.h"

namespace ospatrol::config {
namespace {

using ::testing::HasSubstr;

struct Expanded {
  Document document;
  Problems problems;
};

Expanded Expand(std::string_view text) {
  Expanded result;
  result.document = ParseDialect(text, "rules/x.xml", result.problems);
  EXPECT_TRUE(result.problems.all().empty());
  ExpandVariables(result.document, result.problems);
  return result;
}

// The content of the last root after expansion.
std::string Content(std::string_view text) {
  const Expanded result = Expand(text);
  EXPECT_TRUE(result.problems.all().empty()) << result.problems.all().front().Line();
  return result.document.roots.empty() ? "" : result.document.roots.back().content;
}

constexpr std::string_view kDefined = "<var name=\"WORDS\">bad|worse</var>";

TEST(Variables, ReplaceReferencesInContentAndAttributes) {
  const Expanded result =
      Expand("<var name='V'>12</var><g a='x$V.'><r>$V|$V,$V $V$V</r><r>$V\n</r></g>");
  ASSERT_EQ(result.document.roots.size(), 1U);
  EXPECT_EQ(result.document.roots[0].attributes[0].value, "x12.");
  EXPECT_EQ(result.document.roots[0].children[0].content, "12|12,12 1212");
  EXPECT_EQ(result.document.roots[0].children[1].content, "12\n");
}

TEST(Variables, KeepEverythingThatIsNoReference) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"$WORDS", "bad|worse"},
      {"$words", "bad|worse"},
      {"(abc$)", "(abc$)"},
      {"abc$|def", "abc$|def"},
      {"ends in $", "ends in $"},
      {"$(field)", "$(field)"},
      {"$W", "$W"},
      {"$$$", "$$$"},
      {R"(\$WORDS)", R"(\bad|worse)"},
      {"$WORDS)", "$WORDS)"},
      {R"($WORDS\d)", R"($WORDS\d)"},
  };
  for (const auto& [content, expected] : rows) {
    const std::string text = std::string(kDefined) + "<r>" + std::string(content) + "</r>";
    EXPECT_EQ(Content(text), expected) << content;
  }
}

TEST(Variables, AreKnownBehindTheirDefinitionOnly) {
  EXPECT_EQ(Content("<r>$WORDS</r>"), "$WORDS");
  const Expanded result = Expand("<r>$WORDS</r><var name=\"WORDS\">x</var><r>$WORDS</r>");
  EXPECT_EQ(result.document.roots[0].content, "$WORDS");
  EXPECT_EQ(result.document.roots[1].content, "x");
}

TEST(Variables, TakeTheFirstDefinitionAndAreNotExpandedThemselves) {
  EXPECT_EQ(Content("<var name='A'>one</var><var name='a'>two</var><r>$A.</r>"), "one.");
  EXPECT_EQ(Content("<var name='A'>one</var><var name='B'>$A-</var><r>$B.</r>"), "$A-.");
}

TEST(Variables, MayBeDefinedInsideAGroup) {
  const Expanded result = Expand("<g><var name='A'>one</var><r>$A.</r></g>");
  ASSERT_EQ(result.document.roots[0].children.size(), 1U);
  EXPECT_EQ(result.document.roots[0].children[0].content, "one.");
}

TEST(Variables, NameAnUnknownOneWithItsLineAndTheNearest) {
  const Expanded result = Expand("<var name='WORDS'>x</var>\n<r>\n<m>$WORD</m></r>");
  ASSERT_EQ(result.problems.error_count(), 1U);
  EXPECT_EQ(result.problems.all()[0].id, 1227);
  EXPECT_EQ(result.problems.all()[0].Line(),
            "rules/x.xml:3: <m>: variable $WORD is not defined; did you mean 'WORDS'?");
}

TEST(Variables, RefuseDefinitionsWithoutAUsableName) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"<var>x</var>", "rules/x.xml:1: <var> has no name"},
      {"<var id='1' name='A'>x</var>", "<var> has no name"},
      {"<var name='A B'>x</var>", "<var>: bad name 'A B'"},
      {"<var name=''>x</var>", "<var>: bad name ''"},
      {"<var name='A'><b/></var>", "contains elements"},
  };
  for (const auto& [text, expected] : rows) {
    const Expanded result = Expand(text);
    ASSERT_EQ(result.problems.error_count(), 1U) << text;
    EXPECT_THAT(result.problems.all()[0].Line(), HasSubstr(expected));
    EXPECT_TRUE(result.document.roots.empty());
  }
}

}  // namespace
}  // namespace ospatrol::config
