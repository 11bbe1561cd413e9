#include "logtest/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "../problem_lines.h"
#include "analysisd/decoder_loader.h"
#include "analysisd/decoder_set.h"
#include "analysisd/list_set.h"
#include "analysisd/rule_loader.h"
#include "analysisd/rule_set.h"
#include "config/dialect.h"

namespace ospatrol::logtest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kRoot =
    "<group name=\"syslog,\">\n"
    "<rule id=\"1\" level=\"0\" noalert=\"1\"><category>syslog</category>"
    "<description>r</description></rule>\n";
constexpr std::string_view kDecoders = R"(
<decoder name="a"><program_name>^a$</program_name></decoder>
<decoder name="a-1"><parent>a</parent><regex>u=(\S+)</regex><order>colour</order></decoder>
<decoder name="b"><program_name>^b$</program_name></decoder>
)";

// Lines of what the checks find. `rules` are in a group behind a root; line 3 is their first.
std::vector<std::string> Found(std::string_view rules, std::string_view decoders = kDecoders) {
  config::Problems problems;
  Documents documents;
  documents.decoders.push_back(config::ParseDialect(decoders, "d.xml", problems));
  documents.rules.push_back(config::ParseDialect(
      std::string(kRoot) + std::string(rules) + "\n</group>", "r.xml", problems));
  analysisd::EngineOptions options;
  auto lists = std::make_unique<analysisd::ListSet>();
  auto decoder_set = analysisd::BuildDecoders(documents.decoders, options, problems);
  auto rule_set = analysisd::BuildRules(documents.rules, options, *decoder_set, *lists, problems);
  EXPECT_FALSE(problems.HasErrors()) << ProblemText(problems);
  if (problems.HasErrors()) return {};
  const auto ruleset = analysisd::Ruleset::From(std::move(decoder_set), std::move(lists),
                                                std::move(rule_set), options);
  config::Problems found;
  Lint({*ruleset, documents}, found);
  return ProblemLines(found);
}

std::string Rule(int id, int level, std::string_view inside, std::string_view attributes = "") {
  return "<rule id=\"" + std::to_string(id) + "\" level=\"" + std::to_string(level) + "\" " +
         std::string(attributes) + ">" + std::string(inside) +
         "<description>x</description></rule>\n";
}

TEST(Lint, FindsNothingInCleanRulesAndDecoders) {
  EXPECT_THAT(Found(Rule(100, 5, "<match>one</match>") + Rule(101, 3, "<match>two</match>") +
                    Rule(102, 3, "<if_sid>100</if_sid><field name=\"Colour\">red</field>")),
              IsEmpty());
}

TEST(Lint, FindsARuleBehindOneWithTheSameConditions) {
  EXPECT_THAT(Found(Rule(100, 5, "<match>one</match>") + Rule(101, 3, "<match>one</match>")),
              ElementsAre(HasSubstr("r.xml:4: rule 101: is never tried: rule 100 comes before it "
                                    "and has the same conditions")));
}

TEST(Lint, FindsARuleBehindOneThatAsksForLess) {
  EXPECT_THAT(
      Found(Rule(100, 5, "<match>one</match>") +
            Rule(101, 3, "<match>one</match><srcip>10.0.0.1</srcip>")),
      ElementsAre(HasSubstr("r.xml:4: rule 101: is never tried: rule 100 comes before it and has "
                            "only conditions that it has too")));
}

TEST(Lint, ARuleThatAsksForMoreMayComeFirst) {
  EXPECT_THAT(Found(Rule(100, 5, "<match>one</match><srcip>10.0.0.1</srcip>") +
                    Rule(101, 3, "<match>one</match>")),
              IsEmpty());
}

TEST(Lint, ANoalertRuleLetsLaterOnesBeTried) {
  EXPECT_THAT(Found(Rule(100, 0, "<match>one</match>", "noalert=\"1\"") +
                    Rule(101, 3, "<match>one</match>") +
                    Rule(102, 3, "<if_sid>100</if_sid><match>two</match>")),
              IsEmpty());
}

TEST(Lint, ACompositeRuleDoesNotShadowASimpleOne) {
  EXPECT_THAT(Found(Rule(100, 3, "<match>one</match>") +
                    Rule(101, 9, "<if_matched_sid>100</if_matched_sid>", "frequency=\"2\"") +
                    Rule(102, 8, "<if_sid>100</if_sid><match>two</match>")),
              IsEmpty());
}

TEST(Lint, FindsRulesBelowOneThatIsNeverReached) {
  EXPECT_THAT(Found(Rule(100, 5, "<match>one</match>") + Rule(101, 3, "<match>one</match>") +
                    Rule(102, 3, "<if_sid>101</if_sid><match>two</match>")),
              ElementsAre(HasSubstr("rule 101"),
                          HasSubstr("r.xml:5: rule 102: is never tried: rule 101 above it")));
}

TEST(Lint, FindsRulesBelowOneWhoseListIsNotConfigured) {
  EXPECT_THAT(Found(Rule(100, 5, "<list field=\"srcip\">rules/none</list>") +
                    Rule(101, 3, "<if_sid>100</if_sid><match>two</match>")),
              ElementsAre(HasSubstr("r.xml:4: rule 101: is never tried: rule 100 above it never")));
}

TEST(Lint, FindsARuleThatContradictsTheDecoderOfItsParent) {
  EXPECT_THAT(Found(Rule(100, 5, "<decoded_as>a</decoded_as>") +
                    Rule(101, 3, "<if_sid>100</if_sid><decoded_as>b</decoded_as>")),
              ElementsAre(HasSubstr("r.xml:4: rule 101: never matches: a rule above it asks for")));
}

TEST(Lint, FindsANoalertRuleWithNothingBelow) {
  EXPECT_THAT(Found(Rule(100, 0, "<match>one</match>", "noalert=\"1\"")),
              ElementsAre(HasSubstr("r.xml:3: rule 100: has noalert and no rule below it")));
}

TEST(Lint, FindsAFieldThatNoDecoderExtracts) {
  EXPECT_THAT(Found("<rule id=\"100\" level=\"3\">\n<field name=\"size\">9</field>"
                    "<description>x</description></rule>"),
              ElementsAre(HasSubstr("r.xml:4: rule 100: <field name=\"size\">: no decoder")));
}

TEST(Lint, FindsAPatternThatNeverMatchesAtItsOwnLine) {
  EXPECT_THAT(Found("<rule id=\"100\" level=\"3\">\n<pcre2>a$b</pcre2>"
                    "<description>x</description></rule>"),
              ElementsAre(HasSubstr("r.xml:4: rule 100: <pcre2> 'a$b' never matches")));
  EXPECT_THAT(Found(Rule(100, 3, "<match>a|b$c</match>")),
              ElementsAre(HasSubstr("<match> 'a|b$c' has an alternative that never matches")));
}

TEST(Lint, FindsAPatternThatBeginsWithAnything) {
  EXPECT_THAT(Found(Rule(100, 3, "<match_pcre2>.*a</match_pcre2>")),
              ElementsAre(HasSubstr("r.xml:3: rule 100: <match_pcre2> '.*a' begins with any")));
  EXPECT_THAT(Found("",
                    "<decoder name=\"a\"><prematch>^a</prematch>\n"
                    "<pcre2>.+u=(x)</pcre2><order>id</order></decoder>"),
              ElementsAre(HasSubstr("d.xml:2: decoder 'a': <pcre2> '.+u=(x)' begins with any")));
}

TEST(Lint, FindsATopLevelDecoderBehindAnEqualOne) {
  EXPECT_THAT(Found("",
                    "<decoder name=\"a\"><program_name>^a$</program_name></decoder>\n"
                    "<decoder name=\"b\"><program_name>^a$</program_name>"
                    "<prematch>x</prematch></decoder>\n"),
              ElementsAre(HasSubstr("d.xml:2: decoder 'b': is never reached: the decoder at "
                                    "d.xml:1")));
  EXPECT_THAT(Found("",
                    "<decoder name=\"b\"><program_name>^a$</program_name>"
                    "<prematch>x</prematch></decoder>\n"
                    "<decoder name=\"a\"><program_name>^a$</program_name></decoder>\n"),
              IsEmpty());
}

TEST(Lint, FindsAChildBehindOneWithoutPrematch) {
  constexpr std::string_view kParent =
      "<decoder name=\"p\"><program_name>^p$</program_name></decoder>\n";
  EXPECT_THAT(Found("", std::string(kParent) +
                            "<decoder name=\"c\"><parent>p</parent><regex>(a)</regex>"
                            "<order>id</order></decoder>\n"
                            "<decoder name=\"d\"><parent>p</parent><prematch>x</prematch>"
                            "<regex>(a)</regex><order>id</order></decoder>\n"),
              ElementsAre(HasSubstr("d.xml:3: decoder 'd': is never reached: the child 'c' at "
                                    "d.xml:2 has no <prematch>")));
  EXPECT_THAT(
      Found("", std::string(kParent) + "<decoder name=\"c\"><parent>p</parent><regex>(a)</regex>"
                                       "<order>id</order></decoder>\n"
                                       "<decoder name=\"c\"><parent>p</parent><regex>(b)</regex>"
                                       "<order>url</order></decoder>\n"),
      IsEmpty());
}

TEST(Lint, FindsNamesWithoutCapturesAndCapturesWithoutNames) {
  EXPECT_THAT(Found("",
                    "<decoder name=\"a\"><prematch>^a</prematch><regex>(a)</regex>\n"
                    "<order>id, url</order></decoder>"),
              ElementsAre(HasSubstr("d.xml:2: decoder 'a': <order> has 2 names, but")));
  EXPECT_THAT(Found("",
                    "<decoder name=\"a\"><prematch>^a</prematch>\n<regex>(a) (b)</regex>"
                    "<order>id</order></decoder>"),
              ElementsAre(HasSubstr("d.xml:2: decoder 'a': the pattern captures up to 2 texts")));
  EXPECT_THAT(Found("",
                    "<decoder name=\"a\"><prematch>^a</prematch><pcre2>(a)|(b)</pcre2>"
                    "<order>id</order></decoder>"),
              IsEmpty());
}

}  // namespace
}  // namespace ospatrol::logtest
