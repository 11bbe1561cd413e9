#include "analysisd/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// rules-and-decoders A.2.
constexpr std::string_view kTreeDecoders = R"(
<decoder name="ap"><program_name>^ap$</program_name></decoder>
<decoder name="ap-l"><parent>ap</parent><prematch>^login</prematch>
  <regex offset="after_prematch">u=(\S+)</regex><order>user</order><fts>name, user</fts></decoder>
)";
constexpr std::string_view kTreeRules = R"(
<group name="g1,">
<rule id="200" level="0" noalert="0"><decoded_as>ap</decoded_as><description>noalert parent</description></rule>
<rule id="201" level="2"><decoded_as>ap</decoded_as><description>second sibling</description></rule>
<rule id="202" level="5"><if_sid>200</if_sid><match>boom</match><description>child</description><group>gx,</group></rule>
<rule id="203" level="3"><if_sid>202</if_sid><match>lvl3</match><description>lower child</description></rule>
<rule id="204" level="9"><if_sid>202</if_sid><match>lvl</match><description>higher child</description></rule>
<rule id="205" level="0"><if_sid>202</if_sid><match>quiet</match><description>quiet child</description></rule>
<rule id="206" level="4"><if_group>gx</if_group><match>viagroup</match><description>via group</description></rule>
<rule id="207" level="4"><if_level>9</if_level><match>vialevel</match><description>via level</description></rule>
<rule id="208" level="4"><if_sid>201</if_sid><if_fts/><description>fts 1</description></rule>
<rule id="209" level="3"><if_sid>201</if_sid><if_fts/><description>fts 2</description></rule>
<rule id="210" level="6" ignore="60"><if_sid>200</if_sid><match>igno</match><description>ignored 60s</description></rule>
<rule id="211" level="6" accuracy="0"><if_sid>200</if_sid><match>boom</match><description>acc0</description></rule>
</group>
<group name="local,">
<rule id="202" level="7" overwrite="yes"><if_sid>201</if_sid><match>bang</match><description>overwritten</description></rule>
</group>
)";

Parts TreeParts(bool overwrite_compat) {
  Parts parts{.rules = std::string(kTreeRules), .decoders = std::string(kTreeDecoders)};
  parts.options.overwrite_compat = overwrite_compat;
  return parts;
}

class IdTracer : public Tracer {
 public:
  void Trying(const Rule& rule) override { tried.push_back(rule.id); }
  void Failed(const Rule& rule, std::string_view condition, std::string_view) override {
    failed.push_back(fmt::format("{} {}", rule.id, condition));
  }
  void Matched(const Rule& rule, bool has_children) override {
    matched.push_back(fmt::format("{}{}", rule.id, has_children ? "+" : ""));
  }
  std::vector<int> tried;
  std::vector<std::string> failed, matched;
};

class TreeExample : public testing::TestWithParam<bool> {};

TEST_P(TreeExample, GivesTheRulesOfTheWorkedExample) {
  Judging judging(TreeParts(GetParam()));
  EXPECT_EQ(judging.Rule(Syslog("ap", "nothing here")), 201);
  EXPECT_EQ(judging.Rule(Syslog("ap", "boom lvl3")), 211);
  EXPECT_EQ(judging.Rule(Syslog("ap", "bang lvl3")), 204);
  EXPECT_EQ(judging.Rule(Syslog("ap", "bang quiet")), 205);
  EXPECT_FALSE(judging.Judge(Syslog("ap", "bang quiet")).alert);
  EXPECT_EQ(judging.Rule(Syslog("ap", "bang lvl vialevel")), 207);
  EXPECT_EQ(judging.Rule(Syslog("ap", "login u=zed")), 208);
  EXPECT_EQ(judging.Rule(Syslog("ap", "login u=zed")), 201);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutOverwriteCompat, TreeExample, testing::Bool());

TEST(Engine, IgnoreSecondsSilenceButDoNotStopMatching) {
  Judging judging(TreeParts(false));
  for (const auto& [time, alert] :
       {std::pair{1000, true}, {1010, false}, {1059, false}, {1060, true}}) {
    const Verdict verdict = judging.Judge(Syslog("ap", "igno"), time);
    ASSERT_NE(verdict.rule, nullptr);
    EXPECT_EQ(verdict.rule->id, 210);
    EXPECT_EQ(verdict.alert, alert) << time;
    EXPECT_EQ(verdict.silenced, !alert) << time;
  }
}

TEST(Engine, TriesRulesInTheOrderOfTheWorkedExample) {
  // 206 hangs below 202 by its old group; compat keeps 202 in its place.
  Judging judging(TreeParts(true));
  IdTracer tracer;
  const Verdict verdict = judging.Judge(Syslog("ap", "bang viagroup"), 1000, "/x", '1', &tracer);
  EXPECT_EQ(verdict.rule->id, 206);
  EXPECT_THAT(tracer.tried, ElementsAre(1, 200, 210, 202, 205, 204, 206));
  EXPECT_THAT(tracer.matched, ElementsAre("1+", "200+", "202+", "206"));
  EXPECT_THAT(tracer.failed, ElementsAre("210 match", "205 match", "204 match"));
}

TEST(Engine, GivesTheSameVerdictWithAndWithoutATracer) {
  Judging traced(TreeParts(false));
  Judging plain(TreeParts(false));
  for (const char* text : {"nothing", "boom lvl3", "bang lvl3", "bang quiet", "bang viagroup",
                           "igno", "login u=a", "login u=a"}) {
    IdTracer tracer;
    const Verdict a = traced.Judge(Syslog("ap", text), 1000, "/x", '1', &tracer);
    const Verdict b = plain.Judge(Syslog("ap", text), 1000, "/x");
    EXPECT_EQ(a.rule->id, b.rule->id) << text;
    EXPECT_EQ(a.alert, b.alert) << text;
  }
}

// rules-and-decoders A.3, with per-key marks.
std::string CountingRules(std::string_view frequency) {
  return fmt::format(R"(<group name="c,">
<rule id="101" level="5"><decoded_as>k</decoded_as><description>one</description></rule>
<rule id="102" level="10" frequency="{}" timeframe="120"><if_matched_sid>101</if_matched_sid><same_source_ip/>
<description>many</description></rule></group>)",
                     frequency);
}

std::vector<std::string> FromAddresses(std::string_view letters) {
  std::vector<std::string> lines;
  for (const char c : letters)
    lines.push_back(Syslog("k", fmt::format("srcip=10.0.0.{}", c - 'A' + 1)));
  return lines;
}

TEST(Engine, CountsTenEventsOfOneAddressAsInTheWorkedExample) {
  Judging judging(CountingRules("2"));
  EXPECT_EQ(judging.Rules(FromAddresses("AAAAAAAAAA")), "101 101 101 102 101 101 101 102 101 101");
}

TEST(Engine, FrequencyZeroFiresOnTheSecondEvent) {
  Judging judging(CountingRules("0"));
  EXPECT_EQ(judging.Rules(FromAddresses("AAA")), "101 102 101");
}

TEST(Engine, AnAlertForOneAddressDoesNotResetAnother) {
  Judging judging(CountingRules("2"));
  EXPECT_EQ(judging.Rules(FromAddresses("AABABABABA")), "101 101 101 101 101 102 101 101 102 101");
}

TEST(Engine, CountsAnEventOfARuleWithTwoParentsOnce) {
  Judging judging(R"(<group name="c,">
<rule id="110" level="0"><decoded_as>k</decoded_as><description>p</description></rule>
<rule id="111" level="0" noalert="1"><decoded_as>k</decoded_as><description>p</description></rule>
<rule id="112" level="5"><if_sid>110,111</if_sid><match>srcip</match><description>two parents</description><group>twice,</group></rule>
<rule id="113" level="10" frequency="4" timeframe="120"><if_matched_group>twice</if_matched_group><description>many</description></rule>
</group>)");
  EXPECT_EQ(judging.Rules(FromAddresses("AAAAAAA")), "112 112 112 112 112 113 112");
}

TEST(Engine, TimeFrameIncludesItsEnd) {
  Judging judging(CountingRules("0"));
  EXPECT_EQ(judging.Rule(Syslog("k", "srcip=1.1.1.1"), 1000), 101);
  EXPECT_EQ(judging.Rule(Syslog("k", "srcip=1.1.1.1"), 1120), 102);
  Judging later(CountingRules("0"));
  EXPECT_EQ(later.Rule(Syslog("k", "srcip=1.1.1.1"), 1000), 101);
  EXPECT_EQ(later.Rule(Syslog("k", "srcip=1.1.1.1"), 1121), 101);
}

}  // namespace
}  // namespace ospatrol::analysisd
