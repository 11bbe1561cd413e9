#include "logtest/mutate.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "analysisd/rule_set.h"
#include "logtest/elements.h"

#include "../temporary_directory.h"

namespace ospatrol::logtest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

constexpr std::string_view kConfiguration = R"(<ospatrol_config>
  <rules>
    <decoder>decoders/all.xml</decoder>
    <include>all_rules.xml</include>
  </rules>
</ospatrol_config>
)";

constexpr std::string_view kDecoders = R"(
<decoder name="door"><program_name>^door$</program_name></decoder>
<decoder name="door-user">
  <parent>door</parent>
  <regex offset="after_parent">^(\w+) user=(\w+) from=(\S+)</regex>
  <order>action, user, srcip</order>
  <fts>name, user</fts>
</decoder>
<decoder name="gate"><program_name>^gate$</program_name></decoder>
<decoder name="gate-json">
  <parent>gate</parent>
  <regex>colour=(\w+) size=(\w+)</regex>
  <order>colour, size</order>
</decoder>
)";

// Every kind of condition that is handled apart: nested ones, several of a name, a twin that wakes
// when the other is dropped, conditions that remember, counting, a replaced rule, one that no case
// comes to.
constexpr std::string_view kRules = R"(
<group name="syslog,">
  <rule id="1" level="0" noalert="1"><category>syslog</category><description>r</description></rule>
</group>
<group name="door,">
  <rule id="100" level="0"><decoded_as>door</decoded_as><description>d</description></rule>
  <rule id="101" level="5">
    <if_sid>100</if_sid><action>opened</action><description>d</description>
  </rule>
  <rule id="102" level="7">
    <if_sid>101</if_sid><user>^root</user><srcip>10.0.0.0/8</srcip><description>d</description>
  </rule>
  <rule id="103" level="6">
    <if_sid>101</if_sid><match>user=eve</match><match_pcre2>from=10</match_pcre2>
    <description>d</description>
  </rule>
  <rule id="104" level="8">
    <if_sid>101</if_sid><match>user=new</match><if_fts/><description>d</description>
  </rule>
  <rule id="105" level="5">
    <if_sid>100</if_sid><action>refused</action><group>refused,</group><description>d</description>
  </rule>
  <rule id="106" level="10" frequency="1" timeframe="60">
    <if_matched_sid>105</if_matched_sid><same_source_ip/><different_user/>
    <description>d</description>
  </rule>
  <rule id="107" level="9" frequency="1" timeframe="60">
    <if_matched_group>refused</if_matched_group><same_user/><match>from=172</match>
    <description>d</description>
  </rule>
  <rule id="108" level="3"><if_sid>100</if_sid><match>never seen</match>
    <description>d</description></rule>
</group>
<group name="gate,">
  <rule id="200" level="2"><decoded_as>gate</decoded_as><description>d</description></rule>
  <rule id="201" level="4"><if_sid>200</if_sid>
    <field name="colour">red</field><field name="size">big</field><description>d</description>
  </rule>
  <rule id="202" level="4"><if_sid>200</if_sid><match>output:</match><check_diff/>
    <description>d</description>
  </rule>
  <rule id="203" level="4"><if_sid>200</if_sid><match>one thing</match>
    <description>d</description>
  </rule>
  <rule id="203" level="6" overwrite="yes"><if_sid>200</if_sid><match>other thing</match>
    <srcip>10.0.0.1</srcip><description>d</description>
  </rule>
  <rule id="204" level="4" frequency="1" timeframe="60"><if_matched_sid>200</if_matched_sid>
    <match>counted output</match><check_diff/><description>d</description>
  </rule>
</group>
)";

constexpr std::string_view kCases = R"([other]
rule = 1
alert = 0
decoder = none
log 1 fail = Nov 22 10:00:00 h cat[1]: opened user=root from=10.1.1.1
[101]
rule = 101
alert = 5
decoder = door
log 1 pass = Nov 22 10:00:00 h door[1]: opened user=bob from=10.1.1.1
log 2 pass = Nov 22 10:00:00 h door[1]: opened user=root from=192.168.1.1
log 3 pass = Nov 22 10:00:00 h door[1]: opened user=bob from=10.1.1.1
log 4 fail = Nov 22 10:00:00 h door[1]: closed user=bob from=10.1.1.1
log 5 fail = Nov 22 10:00:00 h door[1]: opened user=new from=10.1.1.1
[102]
rule = 102
alert = 7
decoder = door
log 1 pass = Nov 22 10:00:00 h door[1]: opened user=root from=10.1.1.1
[103]
rule = 103
alert = 6
decoder = door
log 1 pass = Nov 22 10:00:00 h door[1]: opened user=eve from=192.168.1.1
[104]
rule = 104
alert = 8
decoder = door
log 1 pass = Nov 22 10:00:00 h door[1]: opened user=new from=10.1.1.1
log 2 fail = Nov 22 10:00:00 h door[1]: opened user=new from=10.1.1.1
log 2 fail = Nov 22 10:00:00 h door[1]: opened user=new from=10.1.1.1
[106]
rule = 106
alert = 10
decoder = door
log 1 pass = Nov 22 10:00:00 h door[1]: refused user=a from=10.1.1.1
log 1 pass = Nov 22 10:00:00 h door[1]: refused user=b from=10.1.1.1
log 1 pass = Nov 22 10:00:00 h door[1]: refused user=c from=10.1.1.1
log 2 fail = Nov 22 10:00:00 h door[1]: refused user=a from=10.1.1.2
log 2 fail = Nov 22 10:00:00 h door[1]: refused user=b from=10.1.1.3
log 2 fail = Nov 22 10:00:00 h door[1]: refused user=c from=10.1.1.1
[107]
rule = 107
alert = 9
decoder = door
log 1 pass = Nov 22 10:00:00 h door[1]: refused user=a from=172.1.1.1
log 1 pass = Nov 22 10:00:00 h door[1]: refused user=a from=172.1.1.2
log 1 pass = Nov 22 10:00:00 h door[1]: refused user=a from=172.1.1.3
log 2 fail = Nov 22 10:00:00 h door[1]: refused user=a from=10.1.1.1
log 2 fail = Nov 22 10:00:00 h door[1]: refused user=a from=10.1.1.2
log 2 fail = Nov 22 10:00:00 h door[1]: refused user=a from=10.1.1.3
[200]
rule = 200
alert = 2
decoder = gate
log 1 pass = Nov 22 10:00:00 h gate: colour=red size=small
log 2 pass = Nov 22 10:00:00 h gate: colour=blue size=big
log 3 pass = Nov 22 10:00:00 h gate: output: a
log 4 pass = Nov 22 10:00:00 h gate: other thing
log 5 pass = Nov 22 10:00:00 h gate: counted output a
[202]
rule = 202
alert = 4
decoder = gate
log 1 pass = Nov 22 10:00:00 h gate: output: a
log 1 pass = Nov 22 10:00:00 h gate: output: b
[204]
rule = 204
alert = 4
decoder = gate
log 1 pass = Nov 22 10:00:00 h gate: counted output a
log 1 pass = Nov 22 10:00:00 h gate: counted output b
)";

class MutateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write("etc/ospatrol.conf", kConfiguration);
    Write("decoders/all.xml", kDecoders);
    Write("rules/all_rules.xml", kRules);
    Write("cases.ini", kCases);
    Options options;
    options.prefix = folder_.path();
    options.configuration = folder_.path() / "etc/ospatrol.conf";
    config::Problems problems;
    sources_ = Sources::Read(options, problems);
    cases_ = ReadTestCases((folder_.path() / "cases.ini").string(), false, problems);
    ASSERT_FALSE(problems.HasErrors());
    ASSERT_TRUE(sources_);
  }

  void Write(std::string_view relative, std::string_view text) {
    const auto path = folder_.path() / relative;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  TemporaryDirectory folder_;
  std::optional<Sources> sources_;
  std::vector<TestCase> cases_;
};

std::vector<std::string> MissedIn(const MutationReport& report) {
  std::vector<std::string> missed;
  for (const LooseRule& rule : report.rules) {
    for (const std::string& name : rule.missed) {
      missed.push_back(fmt::format("{} {}{}", rule.id, name, rule.untested ? " untested" : ""));
    }
  }
  return missed;
}

// What the command stands for, done the long way: everything is loaded without the elements, and
// every case runs.
class LongWay {
 public:
  LongWay(const Sources& sources, std::vector<TestCase> cases)
      : sources_(sources), cases_(std::move(cases)), documents_(sources.ReadDocuments()) {
    config::Problems problems;
    as_it_is_ = sources.Load(problems);
    std::erase_if(cases_, [&](const TestCase& test) { return !RunCase(test, as_it_is_).passed; });
  }

  std::vector<std::string> Missed() {
    std::vector<std::string> missed;
    for (const auto& rule : as_it_is_->rules().rules()) {
      const config::Element* element = ElementOf(documents_, *rule);
      std::vector<std::string> of_rule;
      size_t count = 0;
      for (const auto& condition : ConditionsOf(*element)) {
        ++count;
        if (!IsNoticed(condition.elements)) of_rule.emplace_back(condition.name());
      }
      for (const config::Element& child : element->children) {
        if (!IsComparison(child)) continue;
        ++count;
        if (!IsNoticed({&child})) of_rule.push_back(child.name);
      }
      for (const std::string& name : of_rule) {
        missed.push_back(
            fmt::format("{} {}{}", rule->id, name, of_rule.size() == count ? " untested" : ""));
      }
    }
    return missed;
  }

 private:
  bool IsNoticed(const std::vector<const config::Element*>& dropped) {
    std::vector<config::Document> documents = documents_.rules;
    for (size_t d = 0; d < documents.size(); ++d) {
      Drop(documents_.rules[d].roots, dropped, documents[d].roots);
    }
    config::Problems problems;
    const auto ruleset = sources_.LoadWith(std::move(documents), problems);
    EXPECT_NE(ruleset, nullptr);
    bool noticed = false;
    for (const TestCase& test : cases_) noticed |= !RunCase(test, ruleset).passed;
    return noticed;
  }

  static void Drop(const std::vector<config::Element>& from,
                   const std::vector<const config::Element*>& dropped,
                   std::vector<config::Element>& copy) {
    for (size_t i = from.size(); i-- > 0;) {
      Drop(from[i].children, dropped, copy[i].children);
      if (std::ranges::find(dropped, &from[i]) == dropped.end()) continue;
      copy.erase(copy.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  const Sources& sources_;
  std::vector<TestCase> cases_;
  const Documents documents_;
  std::shared_ptr<const analysisd::Ruleset> as_it_is_;
};

TEST_F(MutateTest, MissesWhatLoadingAllAgainAndRunningAllCasesMisses) {
  const MutationReport report = Mutate(*sources_, cases_);
  EXPECT_EQ(MissedIn(report), LongWay(*sources_, cases_).Missed());
  EXPECT_EQ(report.mutants, report.noticed + MissedIn(report).size());
  EXPECT_GT(report.noticed, report.mutants / 2);
}

TEST_F(MutateTest, DoesSoWithEveryOneOfTheCasesLeftOut) {
  for (size_t left_out = 0; left_out < cases_.size(); ++left_out) {
    std::vector<TestCase> others = cases_;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(left_out));
    EXPECT_EQ(MissedIn(Mutate(*sources_, others)), LongWay(*sources_, others).Missed()) << left_out;
  }
}

TEST_F(MutateTest, NamesWhatNoCaseMisses) {
  EXPECT_THAT(MissedIn(Mutate(*sources_, cases_)),
              IsSupersetOf({"106 different_user", "108 match untested", "203 match"}));
}

TEST_F(MutateTest, MissesNothingThatItCannotTry) {
  const MutationReport report = Mutate(*sources_, {});
  EXPECT_EQ(report.noticed, 0u);
  for (const LooseRule& rule : report.rules) EXPECT_TRUE(rule.untested) << rule.id;
}

}  // namespace
}  // namespace ospatrol::logtest
