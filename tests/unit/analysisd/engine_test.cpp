#include "analysisd/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

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

std::string Wrap(std::string_view rules) {
  return fmt::format("<group name=\"g,\">{}</group>", rules);
}

// --- what follows a match ---

TEST(Engine, LevelZeroRulesNeverAlert) {
  Judging judging(
      Wrap(R"(<rule id="100" level="0"><match>a</match><options>log_alert</options></rule>)"));
  const Verdict verdict = judging.Judge("a");
  ASSERT_NE(verdict.rule, nullptr);
  EXPECT_FALSE(verdict.alert);
  EXPECT_FALSE(verdict.silenced);
}

TEST(Engine, OptionsDecideWhatIsWritten) {
  Judging judging(Wrap(R"(
<rule id="100" level="5"><match>a</match><options>no_log</options></rule>
<rule id="101" level="5"><match>b</match></rule>)"));
  EXPECT_FALSE(judging.Judge("a").alert);
  EXPECT_TRUE(judging.Judge("b").alert);
}

TEST(Engine, IgnoreElementSilencesEqualEventsOfRulesThatCheck) {
  Judging judging(Wrap(R"(
<rule id="100" level="5"><match>first</match><ignore>srcip, user</ignore></rule>
<rule id="101" level="6"><match>second</match><check_if_ignored>srcip, user</check_if_ignored></rule>)"));
  EXPECT_TRUE(judging.Judge(Syslog("k", "second srcip=1.1.1.1 dstuser=a")).alert);
  EXPECT_TRUE(judging.Judge(Syslog("k", "first srcip=1.1.1.1 dstuser=a")).alert);
  EXPECT_TRUE(judging.Judge(Syslog("k", "first srcip=1.1.1.1 dstuser=a")).alert);
  const Verdict silenced = judging.Judge(Syslog("k", "second srcip=1.1.1.1 dstuser=a"));
  EXPECT_TRUE(silenced.silenced);
  EXPECT_FALSE(silenced.alert);
  EXPECT_TRUE(judging.Judge(Syslog("k", "second srcip=1.1.1.1 dstuser=b")).alert);
  EXPECT_TRUE(judging.state.IsIgnored("  a 1.1.1.1    "));
}

TEST(Engine, CountsHowOftenARuleFires) {
  Judging judging(Wrap(R"(
<rule id="100" level="5"><match>a</match></rule><rule id="101" level="3"><match>b</match></rule>)"));
  EXPECT_EQ(judging.Judge("b").fired_times, 1u);
  EXPECT_EQ(judging.Judge("a").fired_times, 1u);
  EXPECT_EQ(judging.Judge("a").fired_times, 2u);
  const auto fired = judging.engine->TakeFired();
  ASSERT_EQ(fired.size(), 2u);
  EXPECT_EQ(fired[0].rule->id, 100);
  EXPECT_EQ(fired[0].times, 2u);
  EXPECT_EQ(fired[1].rule->id, 101);
  EXPECT_EQ(judging.Judge("a").fired_times, 1u);
}

TEST(Engine, ANoalertRuleLetsTheSearchGoOnAndTellsNothingOfWhatItCounted) {
  Judging judging(Wrap(R"(
<rule id="100" level="5"><match>a</match></rule>
<rule id="101" level="12" noalert="1" frequency="0"><if_matched_sid>100</if_matched_sid></rule>
<rule id="102" level="3"><if_sid>100</if_sid><match>b</match></rule>)"));
  EXPECT_EQ(judging.Rule("a"), 100);
  const Verdict verdict = judging.Judge("a b");
  EXPECT_EQ(verdict.rule->id, 102);
  EXPECT_THAT(verdict.last_events, IsEmpty());
}

TEST(Engine, AChildOfACompositeRuleTellsWhatWasCounted) {
  Judging judging(Wrap(R"(
<rule id="100" level="5"><match>a</match></rule>
<rule id="101" level="10" frequency="0"><if_matched_sid>100</if_matched_sid></rule>
<rule id="102" level="12"><if_sid>101</if_sid><match>b</match></rule>)"));
  EXPECT_EQ(judging.Rule("a 1"), 100);
  const Verdict verdict = judging.Judge("a b");
  EXPECT_EQ(verdict.rule->id, 102);
  EXPECT_THAT(verdict.last_events, ElementsAre("a 1"));
}

// --- categories and routes ---

TEST(Engine, GivesUndecodedEventsToTheSyslogRules) {
  Judging judging(Wrap(R"(
<rule id="100" level="5"><match>a</match></rule>
<rule id="101" level="9"><category>firewall</category><match>a</match></rule>)"));
  EXPECT_EQ(judging.Rule("a"), 100);
  EXPECT_EQ(judging.Rule(Syslog("f", "a b c d")), 101);
}

TEST(Engine, RunsTheDecodersWithStateWhenItJudges) {
  Judging judging(Wrap(R"(
<rule id="510" level="7"><category>ossec</category><decoded_as>rootcheck</decoded_as><if_fts/></rule>
<rule id="550" level="7"><category>ossec</category><decoded_as>syscheck_integrity_changed</decoded_as></rule>)"));
  EXPECT_EQ(judging.Judge("File '/x' is odd", 1000, "rootcheck", '9').rule->id, 510);
  EXPECT_EQ(judging.Judge("File '/x' is odd", 1001, "rootcheck", '9').rule, nullptr);
  EXPECT_FALSE(judging.event.dropped);

  EXPECT_EQ(judging.Judge("10:33188:0:0:aa:bb /etc/x", 1002, "syscheck", '8').rule, nullptr);
  EXPECT_TRUE(judging.event.dropped);
  EXPECT_EQ(judging.Judge("11:33188:0:0:ac:bd /etc/x", 1003, "syscheck", '8').rule->id, 550);
}

TEST(Engine, FirstTimeSeenIsAskedInTheOrderOfEvaluation) {
  // The higher sibling asks first; what it hears is stored although a later condition fails.
  Judging judging(Wrap(R"(
<rule id="100" level="9"><decoded_as>fts</decoded_as><if_fts/><list field="id">none</list></rule>
<rule id="101" level="5"><decoded_as>fts</decoded_as><if_fts/></rule>)"));
  EXPECT_EQ(judging.Rule(Syslog("fts", "u=a")), 0);
}

// --- state over a restart ---

TEST(Engine, RemembersIgnoreTimesAndFiredCountersOverARestart) {
  const Parts parts{.rules =
                        Wrap(R"(<rule id="100" level="5" ignore="60"><match>a</match></rule>)")};
  Judging before(parts);
  EXPECT_TRUE(before.Judge("a", 1000).alert);
  Judging after(parts);
  ASSERT_TRUE(after.engine->Restore(before.engine->Save()));
  const Verdict verdict = after.Judge("a", 1059);
  EXPECT_TRUE(verdict.silenced);
  EXPECT_EQ(verdict.fired_times, 2u);
  EXPECT_TRUE(after.Judge("a", 1060).alert);
}

TEST(Engine, RefusesAStateOfAnotherForm) {
  Judging judging(CountingRules("2"));
  EXPECT_EQ(judging.Rules(FromAddresses("AAA")), "101 101 101");
  const std::string saved = judging.engine->Save();
  for (const std::string& bytes : {std::string(), std::string("x"), "X" + saved.substr(1),
                                   saved + "x", saved.substr(0, saved.size() - 1)}) {
    EXPECT_FALSE(judging.engine->Restore(bytes));
  }
  EXPECT_EQ(judging.Rules(FromAddresses("A"), 1004), "102");
}

// --- relayed alerts ---

TEST(Engine, FiresTheRuleThatARelayedAlertNames) {
  Judging judging(Wrap(R"(<rule id="100" level="5" ignore="60"><match>never</match></rule>)"));
  for (const bool silenced : {false, true}) {
    judging.event.Reset();
    judging.event.Assign('1', "/x", "text", 1000);
    judging.engine->Decode(judging.event);
    judging.event.relayed_rule = judging.engine->ruleset().rules().Find(100);
    const Verdict verdict = judging.engine->Judge(judging.event);
    EXPECT_EQ(verdict.rule->id, 100);
    EXPECT_EQ(verdict.silenced, silenced);
  }
}

// --- threads ---

TEST(Engine, DecodesTheSameOnAnyThread) {
  Judging judging(CountingRules("2"));
  const auto decode = [&](std::string* out) {
    Event event;
    for (int i = 0; i < 200; ++i) {
      event.Reset();
      event.Assign('1', "/x", Syslog("k", fmt::format("srcip=10.0.0.{} id={}", i, i)), 1000);
      judging.engine->Decode(event);
      out->append(event.Get(Field::kSrcIp)).append(event.Get(Field::kId));
    }
  };
  std::array<std::string, 4> results;
  std::vector<std::thread> threads;
  for (std::string& result : results) threads.emplace_back(decode, &result);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(results[0].empty());
  for (const std::string& result : results) EXPECT_EQ(result, results[0]);
}

}  // namespace
}  // namespace ospatrol::analysisd
