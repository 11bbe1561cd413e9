#include "logtest/ini_file.h"

#include <gtest/gtest.h>

namespace ospatrol::logtest {
namespace {

std::vector<IniSection> Parse(std::string_view text, bool classic = false) {
  config::Problems problems;
  auto sections = ParseIni(text, "x.ini", classic, problems);
  EXPECT_FALSE(problems.HasErrors());
  return sections;
}

TEST(IniFile, ReadsSectionsKeysInLowerCaseAndTrimmedValues) {
  const auto sections = Parse("; comment\n[one]\nRule = 5710 \nlog 1 pass: a = b\n\n# more\n[two]\nrule=1\n");
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[0].name, "one");
  EXPECT_EQ(sections[0].line, 2);
  EXPECT_EQ(*sections[0].Find("rule"), "5710");
  EXPECT_EQ(*sections[0].Find("log 1 pass"), "a = b");
  EXPECT_EQ(sections[0].Find("decoder"), nullptr);
  EXPECT_EQ(*sections[1].Find("rule"), "1");
}

TEST(IniFile, JoinsRepeatedKeysSoThatTheyAreASequence) {
  const auto sections = Parse("[a]\nlog 1 pass = x\nlog 2 pass = q\nlog 1 pass = y\n");
  EXPECT_EQ(*sections[0].Find("log 1 pass"), "x\ny");
}

TEST(IniFile, KeepsTheLastOfRepeatedKeysInClassicMode) {
  EXPECT_EQ(*Parse("[a]\nk = x\nk = y\n", true)[0].Find("k"), "y");
}

TEST(IniFile, MergesRepeatedSectionsAndContinuesIndentedLines) {
  const auto sections = Parse("[a]\nk = x\n  z\n[b]\n[a]\nl = 1\n");
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(*sections[0].Find("k"), "x\nz");
  EXPECT_EQ(*sections[0].Find("l"), "1");
}

TEST(IniFile, NamesTheLineOfWhatIsNeitherSectionNorValue) {
  config::Problems problems;
  ParseIni("[a]\nnonsense\n[]\n", "x.ini", false, problems);
  ASSERT_EQ(problems.error_count(), 2u);
  EXPECT_EQ(problems.all()[0].line, 2);
  EXPECT_EQ(problems.all()[1].line, 3);
}

}  // namespace
}  // namespace ospatrol::logtest
