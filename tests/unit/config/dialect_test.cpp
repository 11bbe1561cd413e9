#include "config/dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "config/translate.h"

namespace ospatrol::config {
namespace {

using ::testing::HasSubstr;

// One root, parsed without any problem.
Element One(std::string_view text) {
  Problems problems;
  Document document = ParseDialect(text, "file", problems);
  EXPECT_TRUE(problems.all().empty()) << problems.all().front().Line() << "\n" << text;
  EXPECT_EQ(document.roots.size(), 1U) << text;
  return document.roots.empty() ? Element{} : document.roots.front();
}

// The one line that says what is wrong.
std::string Fault(std::string_view text) {
  Problems problems;
  const Document document = ParseDialect(text, "file", problems);
  EXPECT_TRUE(document.roots.empty()) << text;
  EXPECT_EQ(problems.all().size(), 1U) << text;
  if (problems.all().empty()) return {};
  EXPECT_EQ(problems.all().front().id, 1226);
  return problems.all().front().Line();
}

TEST(Dialect, AcceptsAnEmptyFileAndTextOutsideElements) {
  for (const std::string_view text : {"", "\n\n", "only text & more", "\xEF\xBB\xBF", "\\<a>"}) {
    Problems problems;
    EXPECT_TRUE(ParseDialect(text, "file", problems).roots.empty());
    EXPECT_TRUE(problems.all().empty()) << text;
  }
}

TEST(Dialect, ReadsSeveralRootsWithTheirLines) {
  Problems problems;
  const Document document = ParseDialect(
      "<?xml version=\"1.0\"?>\n<a>\n <b/>\n</a>\ntext\n<c\n d='1'>x</c>", "f", problems);
  ASSERT_EQ(document.roots.size(), 2U);
  EXPECT_EQ(document.file, "f");
  EXPECT_EQ(document.roots[0].line, 2);
  EXPECT_EQ(document.roots[0].children[0].line, 3);
  EXPECT_EQ(document.roots[1].line, 6);
  EXPECT_EQ(document.roots[1].content, "x");
}

TEST(Dialect, KeepsLinesBeyondSixtyFiveThousand) {
  const Element root = One("<a>" + std::string(8000, '\n') + "</a>");
  EXPECT_EQ(root.line, 1);
  EXPECT_EQ(One(std::string(100000, '\n') + "<a/>").line, 100001);
}

TEST(Dialect, GivesContentBackByteForByte) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    if (byte == '<') bytes += '\\';
    bytes += static_cast<char>(byte);
  }
  EXPECT_EQ(One("<a>" + bytes + "</a>").content, bytes);
}

TEST(Dialect, GivesAttributeValuesBackByteForByte) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    if (byte != '"') bytes += static_cast<char>(byte);
  }
  const Element root = One("<a x=\"" + bytes + "\" y='\"'/>");
  ASSERT_EQ(root.attributes.size(), 2U);
  EXPECT_EQ(root.attributes[0].value, bytes);
  EXPECT_EQ(root.attributes[1].value, "\"");
}

TEST(Dialect, GivesNamesBackByteForByte) {
  for (const std::string name : {"a", "1", "-x", "a:b", "xmlns", "xmlns:a", "xml", "a/b", "a<b",
                                 "\xE9t\xE9", "\xC3\xA9", "a\"b", "a=b", "&amp;", "\x01", "."}) {
    EXPECT_EQ(One("<" + name + ">t</" + name + ">").name, name);
    EXPECT_EQ(One("<" + name + "/>").name, name);
  }
  const Element root = One("<a xmlns='u' xmlns:p=\"v\" p:q='w' 1='x' \xFF='y'/>");
  ASSERT_EQ(root.attributes.size(), 5U);
  EXPECT_EQ(root.attributes[0].name, "xmlns");
  EXPECT_EQ(root.attributes[1].name, "xmlns:p");
  EXPECT_EQ(root.attributes[2].name, "p:q");
  EXPECT_EQ(root.attributes[3].name, "1");
  EXPECT_EQ(root.attributes[4].name, "\xFF");
}

TEST(Dialect, NeverTrimsAndNeverDecodesContent) {
  EXPECT_EQ(One("<a>  x &lt; &amp; &#65; &nothing; > ]]> \r\n\t</a>").content,
            "  x &lt; &amp; &#65; &nothing; > ]]> \r\n\t");
  EXPECT_EQ(One("<a b=\" &lt;<x>\t&\r\n \"/>").attributes[0].value, " &lt;<x>\t&\r\n ");
}

TEST(Dialect, ReadsFilesWithCarriageReturns) {
  const Element root = One("<a>\r\n <b c='1'\r\n d='2'>x</b>\r\n</a>\r\n");
  EXPECT_EQ(root.children[0].content, "x");
  EXPECT_EQ(root.children[0].attributes.size(), 2U);
  EXPECT_EQ(root.content, "\r\n");
}

TEST(Dialect, KeepsOnlyWhatFollowsTheLastChild) {
  const Element root = One("<a>before<b>x</b>between<c/>behind</a>");
  EXPECT_EQ(root.content, "behind");
  ASSERT_EQ(root.children.size(), 2U);
  EXPECT_EQ(root.children[0].content, "x");
}

TEST(Dialect, ReadsSelfClosingElements) {
  for (const std::string_view text : {"<x/>", "<x />", "<x\n/>", "<x a=\"1\"/>", "<x a='1' />"}) {
    EXPECT_EQ(One(text).name, "x");
    EXPECT_EQ(One(text).content, "");
  }
}

TEST(Dialect, ABackslashMakesTheNextOpeningBracketLiteralAndStays) {
  EXPECT_EQ(One(R"(<a>x\<b>y</a>)").content, R"(x\<b>y)");
  EXPECT_EQ(One(R"(<a>\\<b></a>)").content, R"(\\<b>)");
  EXPECT_EQ(One(R"(<a>\x<b/></a>)").children.size(), 1U);
  EXPECT_EQ(One(R"(<a>\<<b/></a>)").children.size(), 1U);
}

TEST(Dialect, CutsCommentsOut) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"<a>x<!-- c -->y</a>", "xy"},
      {"<a>x<! c !>y</a>", "xy"},
      {"<a>x<!-- c !>y</a>", "xy"},
      {"<a>x<! c -->y</a>", "xy"},
      {"<a>x<!-->y</a>", "xy"},
      {"<a><!-- <b> </a> & -- \xFF -->y</a>", "y"},
      {R"(<a>\<!-- c -->y</a>)", R"(\y)"},
      {R"(<a>\<!-- c --><b></a>)", R"(\<b>)"},
      {"<!-- <x> --><a>y</a><! </a> !>", "y"},
      {"<a>x<!!>y</a>", "xy"},
  };
  for (const auto& [text, content] : rows) EXPECT_EQ(One(text).content, content) << text;
}

TEST(Dialect, AcceptsBlanksBeforeTheEndOfAClosingTagAndBeforeEquals) {
  EXPECT_EQ(One("<a>x</a \n>").content, "x");
  const Element root = One("<a b =  'c' d\t=\n\"e\"></a>");
  EXPECT_EQ(*root.FindAttribute("b"), "c");
  EXPECT_EQ(*root.FindAttribute("d"), "e");
  EXPECT_EQ(root.FindAttribute("D"), nullptr);
}

TEST(Dialect, NamesEachSyntaxErrorWithItsLine) {
  const std::pair<std::string, std::string> rows[] = {
      {"<?xml version='1.0'\n<a/>", "file:1: the declaration <?xml is not closed"},
      {"\n<?xml version='1.0'?>", "file:2: <? in the middle of the file"},
      {"<a><?php ?></a>", "file:1: <? in the middle of the file"},
      {"<a>\n<!-- x\n", "file:2: a comment is not closed"},
      {"<!DOCTYPE a>\n<a/>", "file:1: a comment is not closed"},
      {"<a><![CDATA[ x ]]></a>", "a comment is not closed"},
      {"<a>\n<b>\n", "file:3: the file ends inside element <b>, opened on line 2; expected </b>"},
      {"<B>\n</b>", "file:2: element <B> of line 1 is closed by </b>; expected </B>"},
      {"<a></ a>", "element <a> of line 1 is closed by </ a>"},
      {"<a></ab>", "element <a> of line 1 is closed by </ab>"},
      {"<a></a b>", "'b' follows the name in the closing tag </a>"},
      {"<a></a", "the file ends inside a closing tag"},
      {"</a>", "</a> closes an element that is not open"},
      {"<a/></a>", "</a> closes an element that is not open"},
      {"<a>x < y</a>", "< without the name of an element; expected a name; a literal < is written"},
      {"<>", "< without the name"},
      {"<", "the file ends inside a tag"},
      {"<a", "the file ends inside a tag"},
      {"<a ", "the file ends inside the tag <a"},
      {"<a b", "the file ends inside attribute 'b' of <a>"},
      {"<a b=", "attribute 'b' of <a> is not followed by a quote"},
      {"<a b='x", "the value of attribute 'b' of <a> is not closed; expected ' at its end"},
      {"<a b></a>", "attribute 'b' of <a> has no value; expected name=\"value\""},
      {"<a b c='1'/>", "attribute 'b' of <a> has no value"},
      {"<a ='1'/>", "attribute '' of <a> has no name"},
      {"<a b=1/>", "attribute 'b' of <a> is not followed by a quote; expected b=\"value\""},
      {"<a b='1'c='2'/>", "attribute 'b' of <a> is badly closed"},
      {"<a b='1' b='2'/>", "attribute 'b' is given twice in <a>"},
      {"<a>I <b you</a>", "attribute 'you</a' of <b> has no value"},
      {"<a / >", "attribute '/' of <a> has no value"},
  };
  for (const auto& [text, expected] : rows) EXPECT_THAT(Fault(text), HasSubstr(expected)) << text;
}

TEST(Dialect, LimitsEveryPieceTo8191Bytes) {
  const std::string most(kMaxPieceBytes, 'x');
  const std::string more = most + "x";
  EXPECT_EQ(One("<" + most + "></" + most + ">").name, most);
  EXPECT_EQ(One("<a>" + most + "</a>").content, most);
  EXPECT_EQ(One("<a>" + most + "<b/>" + most + "</a>").content, most);
  EXPECT_EQ(One("<a>" + most + "<!--" + more + "--></a>").content, most);
  EXPECT_EQ(One("<a " + most + "='" + most + "'/>").attributes[0].value, most);
  EXPECT_EQ(One(more + "<a>\n</a>" + more).content, "\n");
  EXPECT_THAT(Fault("<" + more + "></" + more + ">"), HasSubstr("name of an element is longer"));
  EXPECT_THAT(Fault("<a>" + more + "</a>"),
              HasSubstr("content of element <a> is longer than 8191"));
  EXPECT_THAT(Fault("<a>" + most + "<!-- -->x</a>"), HasSubstr("content of element <a> is longer"));
  EXPECT_THAT(Fault("<a " + more + "='1'/>"), HasSubstr("name of an attribute is longer"));
  EXPECT_THAT(Fault("<a b='" + more + "'/>"), HasSubstr("value of attribute 'b' is longer"));
  EXPECT_THAT(Fault("<a></" + more + ">"), HasSubstr("name in a closing tag is longer"));
}

TEST(Dialect, LimitsTheDepthTo1024) {
  const auto nested = [](size_t depth) {
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += "<a>";
    for (size_t i = 0; i < depth; ++i) text += "</a>";
    return text;
  };
  EXPECT_EQ(One(nested(kMaxDepth)).children.size(), 1U);
  EXPECT_THAT(Fault(nested(kMaxDepth + 1)), HasSubstr("nested more than 1024 deep"));
}

TEST(Dialect, SaysThatAFileCannotBeRead) {
  Problems problems;
  const Document document = ReadDialect("/nonexistent/rules.xml", "rules/x.xml", problems);
  EXPECT_TRUE(document.roots.empty());
  ASSERT_EQ(problems.error_count(), 1U);
  EXPECT_EQ(problems.all()[0].id, 1103);
  EXPECT_EQ(problems.all()[0].Line(),
            "rules/x.xml: cannot be read: No such file or directory; check that the file exists "
            "and that this program may read it");
  ReadDialect("/", "rules", problems);
  EXPECT_EQ(problems.error_count(), 2U);
}

TEST(Dialect, ReadsAFile) {
  const std::string path = ::testing::TempDir() + "dialect_test." + std::to_string(::getpid());
  std::ofstream(path) << "<a>\n<b>x</b>\n</a>\n";
  Problems problems;
  const Document document = ReadDialect(path, "shown.xml", problems);
  std::filesystem::remove(path);
  EXPECT_TRUE(problems.all().empty());
  EXPECT_EQ(document.file, "shown.xml");
  ASSERT_EQ(document.roots.size(), 1U);
  EXPECT_EQ(document.roots[0].children[0].content, "x");
}

}  // namespace
}  // namespace ospatrol::config
