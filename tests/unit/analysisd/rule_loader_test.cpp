#include "analysisd/rule_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../temporary_directory.h"
#include "base/files.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Wrap(std::string_view rules) {
  return fmt::format("<group name=\"g,\">\n{}\n</group>", rules);
}

// What a load of these rules tells, a line each; "" = nothing.
std::string Told(std::string_view rules, const EngineOptions& options = JudgingOptions()) {
  config::Problems problems;
  MakeRuleset(Parts{.rules = std::string(rules), .options = options}, problems);
  return ProblemText(problems);
}

bool Loads(std::string_view rules) {
  config::Problems problems;
  return MakeRuleset(Parts{.rules = std::string(rules)}, problems) != nullptr;
}

struct Bad {
  std::string rules;
  std::string_view told;
};

TEST(RuleLoader, NamesFileLineAndRuleOfEveryError) {
  const std::vector<Bad> cases{
      {"<rule id=\"1\" level=\"1\"/>", "rules/local_rules.xml:1: <rule> stands at the top level"},
      {"<group>\n<rule/></group>",
       "rules/local_rules.xml:1: <group> has exactly one attribute, 'name'"},
      {"<group name=\"a\" b=\"c\"><rule/></group>", "<group> has exactly one attribute, 'name'"},
      {"<group name=\"a\"></group>", "rules/local_rules.xml:1: an empty <group>"},
      {"<group name=\"a\">\n<rul id=\"1\"/></group>",
       "rules/local_rules.xml:2: <rul> stands in a <group>"},
      {Wrap("<rule id=\"100\" level=\"1\"></rule>"),
       "rules/local_rules.xml:2: rule 100: a rule without any element"},
      {Wrap("<rule level=\"1\"><match>a</match></rule>"),
       "local_rules.xml:2: <rule> lacks the attribute 'id'"},
      {Wrap("<rule id=\"100\"><match>a</match></rule>"),
       "rule 100: <rule> lacks the attribute 'level'"},
      {Wrap("<rule id=\"100\" level=\"1\" frequenzy=\"2\"><match>a</match></rule>"),
       "rule 100: <rule> has no attribute 'frequenzy'; did you mean 'frequency'?"},
      {Wrap("<rule id=\"100\" level=\"1\">\n<mach>a</mach></rule>"),
       "rules/local_rules.xml:3: rule 100: <rule> knows no element <mach>; did you mean <match>?"},
      {Wrap("<rule id=\"100\" level=\"1\"><protocol>tcp</protocol></rule>"),
       "knows no element <protocol>"},
      {Wrap("<rule id=\"100\" level=\"1\"><match>a</match></rule>\n<rule id=\"0100\" "
            "level=\"1\"><match>b</match></rule>"),
       "local_rules.xml:3: rule 100: the id is taken by the rule at rules/local_rules.xml:2"},
      {Wrap("<rule id=\"100\" level=\"1\" frequency=\"2\"><match>a</match></rule>"),
       "rule 100: attribute 'frequency' without anything to count"},
      {Wrap("<rule id=\"100\" level=\"1\">\n<same_id/></rule>"),
       "local_rules.xml:3: rule 100: a same_... or different_... element without anything to "
       "compare with"},
      {Wrap("<rule id=\"100\" level=\"1\">\n<if_sid>101</if_sid></rule>"),
       "local_rules.xml:3: rule 100: <if_sid> names rule 101, which does not exist"},
      {Wrap("<rule id=\"100\" level=\"1\"><if_sid> , </if_sid></rule>"),
       "rule 100: <if_sid>: names no rule"},
      {Wrap("<rule id=\"100\" level=\"1\"><if_sid>1;2</if_sid></rule>"),
       "<if_sid>: '1;2' is not a rule id"},
      {Wrap("<rule id=\"100\" level=\"1\" overwrite=\"yes\"><match>a</match></rule>"),
       "rule 100: overwrite=\"yes\", but no rule of that id is loaded before"},
      {Wrap("<rule id=\"100\" level=\"1\"><match>" + std::string(2049, 'x') + "</match></rule>"),
       "rule 100: <match>: 2049 bytes of text"},
      {Wrap("<rule id=\"100\" level=\"1\"><list field=\"srcip\" "
            "lookup=\"address_match_key_value\">a</list></rule>"),
       "rule 100: <list>: lookup='address_match_key_value' lacks the attribute 'check_value'"},
      {Wrap("<rule id=\"100\" level=\"1\"><list field=\"srcip\" lookup=\"find\">a</list></rule>"),
       "<list>: lookup='find'"},
      {Wrap("<rule id=\"100\" level=\"1\"><list field=\"colour\">a</list></rule>"),
       "<list>: field='colour'"},
      {"<group name=\"a\"><rule></group>", "rules/local_rules.xml:1:"},
  };
  for (const Bad& bad : cases) {
    EXPECT_FALSE(Loads(bad.rules)) << bad.rules;
    EXPECT_THAT(Told(bad.rules), HasSubstr(std::string(bad.told))) << bad.rules;
  }
}

TEST(RuleLoader, ReportsAllErrorsOfAllFilesAndEndsEachFileWithItsName) {
  const TemporaryDirectory directory;
  std::filesystem::create_directories(directory / "rules");
  base::WriteFileAtomically(directory / "rules/a.xml",
                            Wrap("<rule id=\"100\" level=\"1\"><mach>a</mach></rule>\n<rule "
                                 "id=\"x\" level=\"1\"><match>a</match></rule>"),
                            0600);
  base::WriteFileAtomically(
      directory / "rules/b.xml",
      Wrap("<rule id=\"200\" level=\"1\"><if_sid>100</if_sid><regex>(</regex></rule>"), 0600);
  config::Configuration configuration;
  for (const char* file : {"rules/a.xml", "rules/gone.xml", "rules/b.xml"}) {
    configuration.rules.rules.push_back(
        {config::RulesSection::File{file, {"etc/ospatrol.conf", 3}}, std::nullopt});
  }
  config::Problems problems;
  const DecoderSet decoders;
  const ListSet lists;
  LoadRules(Home(directory.path()), configuration, JudgingOptions(), decoders, lists, problems);
  const std::string told = ProblemText(problems);
  EXPECT_THAT(told, HasSubstr("rules/a.xml:2: rule 100: <rule> knows no element <mach>"));
  EXPECT_THAT(told, HasSubstr("rules/a.xml:3: attribute id='x' is not a number"));
  EXPECT_THAT(told, HasSubstr("Error loading the rules: 'rules/a.xml'."));
  EXPECT_THAT(told, HasSubstr("rules/gone.xml"));
  EXPECT_THAT(told, HasSubstr("rules/b.xml:2: rule 200: <regex>: pattern '(' does not compile"));
  EXPECT_THAT(told, HasSubstr("Error loading the rules: 'rules/b.xml'."));
}

TEST(RuleLoader, DoesNotBlameRulesForTheErrorsOfTheirParents) {
  const std::string told =
      Told(Wrap("<rule id=\"100\" level=\"1\"><regex>(</regex></rule>\n"
                "<rule id=\"101\" level=\"1\"><if_sid>100</if_sid></rule>"));
  EXPECT_THAT(told, HasSubstr("rule 100: <regex>"));
  EXPECT_THAT(told, Not(HasSubstr("rule 101")));
}

TEST(RuleLoader, WarnsOfWhatIsProbablyNotMeant) {
  const std::string rule100 =
      "<rule id=\"100\" level=\"3\"><match>a</match><description>d</description></rule>";
  const std::vector<std::pair<std::string, std::string_view>> cases{
      {Wrap("<rule id=\"100\" level=\"17\"><match>a</match></rule>"),
       "rule 100: level 17 is above 16"},
      {Wrap(rule100 + "<rule id=\"101\" level=\"5\" "
                      "frequency=\"128\"><if_matched_sid>100</if_matched_sid></rule>"),
       "rule 101: frequency 128 can never be reached: 128 events are remembered"},
      {Wrap(rule100 + "<rule id=\"101\" level=\"5\" "
                      "frequency=\"127\"><if_matched_sid>100</if_matched_sid></rule>"),
       ""},
      {Wrap(rule100 + "<rule id=\"101\" level=\"5\"><if_sid>100</if_sid></rule><rule id=\"102\" "
                      "level=\"4\"><if_sid>100</if_sid><match>b</match></rule>"),
       "rule 102: is never tried: rule 101 has no condition and comes before it"},
      {Wrap(rule100 + "<rule id=\"101\" level=\"5\" noalert=\"1\"><if_sid>100</if_sid></rule><rule "
                      "id=\"102\" level=\"4\"><if_sid>100</if_sid><match>b</match></rule>"),
       ""},
      {Wrap("<rule id=\"100\" level=\"0\"><match>a</match></rule><rule id=\"101\" "
            "level=\"5\"><if_matched_sid>100</if_matched_sid></rule>"),
       "counts rules of level 0 only"},
      {Wrap(rule100 +
            "<rule id=\"101\" "
            "level=\"5\"><if_sid>100</if_sid><if_matched_group>none</if_matched_group></rule>"),
       "finds no rule that is loaded before"},
      {Wrap("<rule id=\"100\" level=\"3\"><decoded_as>k-1</decoded_as></rule>"),
       "<decoded_as>: 'k-1' names a child decoder that goes by its parent's name"},
      {Wrap("<rule id=\"100\" level=\"3\"><match>a</match><match_pcre2>a</match_pcre2></rule>"),
       "<match_pcre2> is ignored"},
      {Wrap(rule100 + "<rule id=\"101\" "
                      "level=\"5\"><if_matched_sid>100</if_matched_sid><different_srcip/></rule>"),
       "<different_srcip>: OSSEC accepts this element and does not test it"},
      {Wrap("<rule id=\"100\" level=\"3\"><match colour=\"red\">a</match></rule>"),
       "unknown attribute 'colour' is ignored"},
      {Wrap("<rule id=\"100\" level=\"3\"><match>a</match><group>x,g,</group></rule>"),
       "rule 100: group 'g' is given twice"},
      {Wrap("<rule id=\"1234567\" level=\"3\"><match>a</match></rule>"),
       "attribute id='1234567': only the first 6 digits count"},
      {Wrap("<rule id=\"12\" level=\"3\"><match>a</match></rule>"), "ids 11 to 15 are reserved"},
      {Wrap("<rule id=\"100\" level=\"3\"><if_group>nothing</if_group></rule>"),
       "no rule loaded before has such a group"},
      {Wrap("<rule id=\"100\" level=\"3\"><time>22:00 - 6:00</time></rule>"),
       "<time>: '22:00 - 6:00' is read as it is meant"},
      {Wrap(rule100 + "<rule id=\"101\" "
                      "level=\"5\"><if_sid>100</if_sid><if_matched_regex>a</"
                      "if_matched_regex><same_location/></rule>"),
       "<if_matched_regex> does not compare hostname"},
      {Wrap(rule100 + "<rule id=\"101\" level=\"0\"><if_matched_sid>100</if_matched_sid></rule>"),
       "rule 101: counts events at level 0, at which all of them count as used"},
  };
  for (const auto& [rules, told] : cases) {
    EXPECT_TRUE(Loads(rules)) << rules << "\n" << Told(rules);
    if (told.empty()) {
      EXPECT_EQ(Told(rules), "") << rules;
    } else {
      EXPECT_THAT(Told(rules), HasSubstr(std::string(told))) << rules;
    }
  }
}

TEST(RuleLoader, MakesUpMissingTemplatesWithAWarning) {
  Judging judging(Parts{
      .rules = Wrap("<rule id=\"100\" level=\"3\"><match>a</match></rule>"
                    "<rule id=\"101\" level=\"3\"><category>ids</category><match>a</match></rule>"),
      .templates = false});
  EXPECT_EQ(judging.Rule("a"), 100);
  const std::string told = ProblemText(judging.problems);
  EXPECT_THAT(told, HasSubstr("no rule 1 for category 'syslog' is loaded; one is made up"));
  EXPECT_THAT(told, HasSubstr("no rule 3 for category 'ids' is loaded; one is made up"));
}

const Rule& Load(std::string_view rules, int id, const EngineOptions& options = JudgingOptions()) {
  static std::vector<std::shared_ptr<const Ruleset>> kept;
  config::Problems problems;
  kept.push_back(MakeRuleset(Parts{.rules = std::string(rules), .options = options}, problems));
  if (kept.back() == nullptr) throw std::runtime_error(ProblemText(problems));
  return *kept.back()->rules().Find(id);
}

TEST(RuleLoader, ReadsTextsOptionsAndReferences) {
  const Rule& rule = Load(Wrap(R"(<rule id="100" level="3" ignore="60" timeframe="12345">
<match>a</match><description>One
two</description><description> three
four
five</description><group>x,</group><group>y</group>
<info type="LINK">http://example.org/</info><info>text</info><info type="what">odd</info><cve>2014-1</cve>
<mitre><id>T1110</id><id>T1110</id><id>T1078.004</id></mitre><mitre><tacticID>TA1</tacticID><techniqueID>T1</techniqueID></mitre>
<ignore>user, srcip</ignore><check_if_ignored>id</check_if_ignored><check_if_ignored>data name</check_if_ignored>
<options>no_log</options><options>alert_by_email</options><options>no_ar</options></rule>)"),
                          100);
  EXPECT_EQ(rule.description, "One two three four\nfive");
  EXPECT_EQ(rule.group, "g,x,y");
  ASSERT_EQ(rule.infos.size(), 4u);
  EXPECT_EQ(rule.infos[0].type, "Link");
  EXPECT_EQ(rule.infos[1].type, "Text");
  EXPECT_EQ(rule.infos[2].type, "Text");
  EXPECT_EQ(rule.infos[3].type, "CVE");
  EXPECT_EQ(rule.info_text, "http://example.org/textodd");
  EXPECT_EQ(rule.cve, "2014-1");
  EXPECT_THAT(rule.mitre_ids, ElementsAre("T1110", "T1078.004", "T1"));
  EXPECT_EQ(rule.ignore_fields, kIgnoreUser | kIgnoreSrcIp);
  EXPECT_EQ(rule.check_ignored_fields, kIgnoreId | kIgnoreData | kIgnoreName);
  EXPECT_EQ(rule.ignore_seconds, 60);
  EXPECT_EQ(rule.timeframe, 12345);
  EXPECT_FALSE(rule.log);
  EXPECT_TRUE(rule.mail);
  EXPECT_TRUE(rule.no_active_response);
  EXPECT_EQ(rule.file, "rules/local_rules.xml");
  EXPECT_EQ(rule.line, 2);
}

TEST(RuleLoader, SetsLogAndMailByLevelThenByOptions) {
  EngineOptions options = JudgingOptions();
  options.log_alert_level = 4;
  options.email_alert_level = 8;
  options.default_timeframe = 777;
  const auto rule = [&](int level, std::string_view more) -> const Rule& {
    return Load(
        Wrap(fmt::format("<rule id=\"100\" level=\"{}\"><match>a</match>{}</rule>", level, more)),
        100, options);
  };
  EXPECT_FALSE(rule(3, "").log);
  EXPECT_TRUE(rule(4, "").log);
  EXPECT_FALSE(rule(7, "").mail);
  EXPECT_TRUE(rule(8, "").mail);
  EXPECT_TRUE(rule(3, "<options>log_alert</options>").log);
  EXPECT_FALSE(rule(9, "<options>no_email_alert</options>").mail);
  EXPECT_EQ(rule(3, "").timeframe, 777);
}

TEST(RuleLoader, ExpandsVariables) {
  Judging judging("<var name=\"WORDS\">alpha|beta</var>" +
                  Wrap("<rule id=\"100\" level=\"3\"><match>$WORDS</match></rule>"));
  EXPECT_EQ(judging.Rule("beta"), 100);
  EXPECT_EQ(judging.Rule("gamma"), 0);
}

TEST(RuleLoader, AcceptsLineBreaksAndTrailingSeparatorsInIfSid) {
  Judging judging(
      Wrap("<rule id=\"100\" level=\"0\"><match>a</match></rule><rule id=\"101\" "
           "level=\"0\"><match>b</match></rule>"
           "<rule id=\"102\" level=\"5\"><if_sid>100,\n 101, </if_sid><match>x</match></rule>"));
  EXPECT_EQ(judging.Rule("a x"), 102);
  EXPECT_EQ(judging.Rule("b x"), 102);
  EXPECT_EQ(judging.Rule("x"), 0);
}

TEST(RuleLoader, GluesTheDigitsOfTwoIfSidElements) {
  EXPECT_TRUE(
      Loads(Wrap("<rule id=\"1001\" level=\"0\"><match>a</match></rule>"
                 "<rule id=\"102\" "
                 "level=\"5\"><if_sid>10</if_sid><if_sid>01</if_sid><match>x</match></rule>")));
}

// --- overwrite="yes" ---

TEST(Overwrite, ReplacesEverythingAndMovesBelowTheRulesThatItNames) {
  const std::string rules = Wrap(R"(
<rule id="100" level="2"><match>first</match></rule>
<rule id="101" level="2"><match>second</match></rule>
<rule id="102" level="5"><if_sid>100</if_sid><match_pcre2>old</match_pcre2><field name="colour">red</field><group>oldgroup,</group></rule>
<rule id="103" level="6"><if_sid>102</if_sid><match>child</match></rule>
<rule id="102" level="9" overwrite="yes"><if_sid>101</if_sid><match>new</match><group>newgroup,</group></rule>)");
  Judging judging(rules);
  EXPECT_EQ(judging.Rule("first old"), 100);
  EXPECT_EQ(judging.Rule("second new"), 102);
  EXPECT_EQ(judging.Rule("second new child"), 103);
  EXPECT_EQ(judging.Judge("second new").rule->group, "g,newgroup,");
  EXPECT_EQ(judging.Judge("second new").rule->level, 9);
  const std::string told = ProblemText(judging.problems);
  EXPECT_THAT(told, HasSubstr("rule 102: moved below the rules that it now names"));
  EXPECT_THAT(told, HasSubstr("rule 102: replaced as a whole; OSSEC would keep <match_pcre2> of "
                              "the rule at rules/local_rules.xml:5"));
}

TEST(Overwrite, KeepsThePlaceWithoutParentsAndSortsByTheNewLevel) {
  Judging judging(Wrap(R"(
<rule id="100" level="2"><match>first</match></rule>
<rule id="101" level="5"><if_sid>100</if_sid><match>a</match></rule>
<rule id="102" level="4"><if_sid>100</if_sid><match>a</match></rule>
<rule id="102" level="9" overwrite="yes"><match>a</match></rule>)"));
  EXPECT_EQ(judging.Rule("first a"), 102);
  EXPECT_EQ(judging.Rule("a"), 0);
}

TEST(Overwrite, RefusesToHangARuleBelowItself) {
  EXPECT_THAT(Told(Wrap(R"(
<rule id="100" level="2"><match>first</match></rule>
<rule id="101" level="5"><if_sid>100</if_sid><match>a</match></rule>
<rule id="100" level="2" overwrite="yes"><if_sid>101</if_sid><match>first</match></rule>)")),
              HasSubstr("rule 100: <if_sid> names rule 101, which does not exist"));
}

TEST(Overwrite, CompatKeepsParentsFieldsListsAndPcre2OfTheOldRule) {
  Parts parts{.rules = Wrap(R"(
<rule id="100" level="2"><match>first</match></rule>
<rule id="101" level="2"><match>second</match></rule>
<rule id="102" level="5"><if_sid>100</if_sid><match_pcre2>old</match_pcre2><id>7</id><field name="colour">red</field></rule>
<rule id="102" level="9" overwrite="yes"><if_sid>101</if_sid><match_pcre2>new</match_pcre2></rule>)")};
  parts.options.overwrite_compat = true;
  Judging judging(parts);
  EXPECT_EQ(judging.Rule(Syslog("k", "first old colour=red")), 102);
  EXPECT_EQ(judging.Rule(Syslog("k", "first old colour=blue")), 100);
  EXPECT_EQ(judging.Rule(Syslog("k", "second new colour=red")), 101);
}

// 4.8: "on ids 1-9 it creates a second root".
TEST(Overwrite, CompatMakesASecondRootOfATemplate) {
  constexpr const char* kRules = R"(<group name="local,">
<rule id="100" level="3"><match>known</match><description>d</description></rule>
<rule id="1" level="4" overwrite="yes"><category>syslog</category><description>any</description></rule>
</group>)";
  Parts parts{.rules = kRules};
  parts.options.overwrite_compat = true;
  Judging compat(parts);
  EXPECT_EQ(compat.Rule(Syslog("k", "known")), 100);
  EXPECT_EQ(compat.Rule(Syslog("k", "other")), 1);
  EXPECT_EQ(compat.engine->ruleset().rules().rules().size(), 9u);  // 7 templates, 100, and 1 again

  Judging replaced(kRules);
  EXPECT_EQ(replaced.Rule(Syslog("k", "known")), 100);
  EXPECT_EQ(replaced.Rule(Syslog("k", "other")), 1);
  EXPECT_EQ(replaced.engine->ruleset().rules().rules().size(), 8u);
}

TEST(Overwrite, CompatGivesCountingToNoRuleThatHadNone) {
  Parts parts{.rules = Wrap(R"(
<rule id="100" level="2"><match>first</match></rule>
<rule id="101" level="5"><if_sid>100</if_sid><match>x</match></rule>
<rule id="102" level="8" frequency="2"><if_matched_sid>100</if_matched_sid></rule>
<rule id="101" level="5" frequency="5" overwrite="yes"><if_matched_sid>100</if_matched_sid><match>x</match></rule>
<rule id="102" level="8" frequency="0" overwrite="yes"><if_matched_sid>101</if_matched_sid></rule>)")};
  parts.options.overwrite_compat = true;
  Judging judging(parts);
  EXPECT_EQ(judging.Rules({"first x", "first", "first"}), "101 100 102");
}

TEST(Overwrite, WorksOnACountingRule) {
  Judging judging(Wrap(R"(
<rule id="100" level="2"><match>first</match></rule>
<rule id="102" level="8" frequency="4"><if_matched_sid>100</if_matched_sid></rule>
<rule id="102" level="8" frequency="0" overwrite="yes"><if_matched_sid>100</if_matched_sid></rule>)"));
  EXPECT_EQ(judging.Rules({"first", "first"}), "100 102");
}

}  // namespace
}  // namespace ospatrol::analysisd
