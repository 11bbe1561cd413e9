#include "analysisd/correlator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Rule 101 (5): every event of decoder k. Rule 102: the composite rule under test.
std::string Counting(std::string_view attributes, std::string_view elements, int level = 10) {
  return fmt::format(R"(<group name="c,">
<rule id="101" level="5"><decoded_as>k</decoded_as><description>one</description><group>base,</group></rule>
<rule id="102" level="{}" {}>{}<description>many</description></rule></group>)",
                     level, attributes, elements);
}

std::vector<std::string> Lines(const std::vector<std::string>& texts) {
  std::vector<std::string> lines;
  for (const std::string& text : texts) lines.push_back(Syslog("k", text));
  return lines;
}

std::vector<std::string> Repeated(std::string_view text, int times) {
  return std::vector<std::string>(static_cast<size_t>(times), Syslog("k", text));
}

constexpr std::string_view kSid = "<if_matched_sid>101</if_matched_sid>";

TEST(Counting, FrequencyNFiresOnTheEventBehindNPlusOne) {
  for (const int frequency : {0, 1, 2, 5}) {
    Judging judging(Counting(fmt::format("frequency=\"{}\"", frequency), kSid));
    std::string wanted;
    for (int i = 0; i <= frequency; ++i) wanted += "101 ";
    EXPECT_EQ(judging.Rules(Repeated("x", frequency + 2)), wanted + "102");
  }
}

TEST(Counting, ShowsTheCountedEventsNewestFirstAndAtMostEleven) {
  const auto logs = [](std::string_view elements, int frequency) {
    Judging judging(Counting(fmt::format("frequency=\"{}\"", frequency), elements));
    Verdict verdict;
    for (int i = 1; i <= frequency + 2; ++i)
      verdict = judging.Judge(fmt::format("Feb  9 11:44:56 h k: e{}", i), 1000 + i);
    EXPECT_EQ(verdict.rule->id, 102);
    std::vector<std::string> names;
    for (const std::string& log : verdict.last_events)
      names.push_back(log.substr(log.rfind(' ') + 1));
    return names;
  };
  EXPECT_THAT(logs(kSid, 2), ElementsAre("e3", "e2", "e1"));
  EXPECT_THAT(logs("<if_matched_group>base</if_matched_group>", 2), ElementsAre("e3", "e2"));
  EXPECT_THAT(logs("<if_sid>101</if_sid><if_matched_regex>e</if_matched_regex>", 2),
              ElementsAre("e3", "e2"));
  EXPECT_THAT(logs(kSid, 10), SizeIs(11));
  EXPECT_THAT(logs(kSid, 20), SizeIs(11));
  EXPECT_EQ(logs(kSid, 20).front(), "e21");
}

TEST(Counting, AHigherCompositeIsNotStoppedByMarksOfALowerOne) {
  Judging judging(Counting("frequency=\"0\"", kSid) + R"(<group name="c,">
<rule id="103" level="12" frequency="2"><if_matched_sid>101</if_matched_sid><description>more</description></rule></group>)");
  // 102 fires on every second event; 103 counts the same ones until it has three, and its mark
  // stops 102.
  EXPECT_EQ(judging.Rules(Repeated("x", 8)), "101 102 101 102 101 103 101 102");
}

TEST(Counting, EventsThatAreSilencedOrOfLevelZeroAreNotRecorded) {
  Judging judging(R"(<group name="c,">
<rule id="101" level="5" ignore="100"><decoded_as>k</decoded_as><match>x</match><description>d</description></rule>
<rule id="102" level="0"><decoded_as>k</decoded_as><match>y</match><description>d</description></rule>
<rule id="103" level="9" frequency="0"><if_matched_sid>101</if_matched_sid><match>now</match><description>d</description></rule>
<rule id="104" level="9" frequency="0"><if_matched_sid>102</if_matched_sid><match>now</match><description>d</description></rule></group>)");
  EXPECT_EQ(judging.Rules(Lines({"y", "y now"})), "102 102");
  // The first x alerts and is recorded; the second is silenced.
  EXPECT_EQ(judging.Rules(Lines({"x", "x", "x now"})), "101 101 103");
  EXPECT_EQ(judging.Rule(Syslog("k", "x now"), 1003), 101);
}

TEST(Counting, RecordsForIdAndGroupWatchersAlike) {
  Judging judging(Counting("frequency=\"1\"", kSid, 8) + R"(<group name="c,">
<rule id="103" level="9" frequency="1"><if_matched_group>base</if_matched_group><match>g</match><description>d</description></rule></group>)");
  EXPECT_EQ(judging.Rules(Lines({"x", "x", "g"})), "101 101 103");
}

TEST(Counting, DifferentSrcipCountsOnlyOtherAddresses) {
  Judging judging(
      Counting("frequency=\"1\"", std::string(kSid) + "<same_user/><different_srcip/>"));
  EXPECT_EQ(judging.Rules(Lines({"srcip=1.1.1.1 dstuser=a", "srcip=1.1.1.1 dstuser=a",
                                 "srcip=1.1.1.1 dstuser=a", "srcip=2.2.2.2 dstuser=a"})),
            "101 101 101 102");
}

TEST(Counting, AValueThatIsMissingOnEitherSideFailsBothTests) {
  Judging same(Counting("frequency=\"0\"", std::string(kSid) + "<same_id/>"));
  EXPECT_EQ(same.Rules(Lines({"x", "id=1", "x", "id=1"})), "101 101 101 102");
  Judging different(Counting("frequency=\"0\"", std::string(kSid) + "<different_url/>"));
  EXPECT_EQ(different.Rules(Lines({"x", "url=a", "x", "url=b"})), "101 101 101 102");
}

TEST(Counting, RegexSearchStaysWithinTheCategory) {
  Judging judging(R"(<group name="c,">
<rule id="101" level="5"><decoded_as>k</decoded_as><description>d</description></rule>
<rule id="102" level="5"><category>firewall</category><description>d</description></rule>
<rule id="103" level="9" frequency="0"><if_sid>101</if_sid><if_matched_regex>tcp</if_matched_regex><description>d</description></rule></group>)");
  EXPECT_EQ(judging.Rule(Syslog("f", "drop 1.1.1.1 2.2.2.2 tcp")), 102);
  EXPECT_EQ(judging.Rule(Syslog("k", "tcp")), 101);
  EXPECT_EQ(judging.Rule(Syslog("k", "x")), 103);
}

TEST(Counting, AnIdListHoldsSidPrevMatchedMaxEventsOfEachKey) {
  Parts parts{.rules = Counting("frequency=\"16\" timeframe=\"9999\"",
                                std::string(kSid) + "<same_source_ip/>")};
  parts.options.sid_prev_matched_max = 16;
  Judging judging(parts);
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(judging.Rule(Syslog("k", "srcip=1.1.1.1"), 1000 + i), 101) << i;
  EXPECT_GT(judging.engine->forced_evictions(), 0u);
}

TEST(Counting, EventsOfOtherSourcesDoNotPushASlowSourceOut) {
  Parts parts{.rules = Counting("frequency=\"2\" timeframe=\"9999\"",
                                std::string(kSid) + "<same_source_ip/>")};
  parts.options.sid_prev_matched_max = 16;
  parts.options.memory_size = 2048;
  Judging judging(parts);
  int fired = 0;
  for (int round = 0; round < 4; ++round) {
    fired += judging.Rule(Syslog("k", "srcip=9.9.9.9"), 1000) == 102 ? 1 : 0;
    for (int i = 0; i < 3000; ++i) {
      judging.Rule(Syslog("k", fmt::format("srcip=10.{}.{}.{}", round, i / 250, i % 250)), 1000);
    }
  }
  EXPECT_EQ(fired, 1);
}

// --- the history itself ---

class History : public testing::Test {
 protected:
  void Use(std::string_view rules) {
    config::Problems problems;
    ruleset_ = MakeRuleset(Parts{.rules = std::string(rules)}, problems);
    ASSERT_NE(ruleset_, nullptr) << ProblemText(problems);
    correlator_ = std::make_unique<Correlator>(ruleset_->rules(), ruleset_->options());
  }
  void Record(base::Seconds time, std::string_view address) {
    event_.Reset();
    event_.Assign('1', "/x", "text", time);
    event_.Set(Field::kSrcIp, address);
    correlator_->Record(event_, *ruleset_->rules().Find(101), 0);
  }

  std::shared_ptr<const Ruleset> ruleset_;
  std::unique_ptr<Correlator> correlator_;
  Event event_;
};

TEST_F(History, ForgetsEventsThatNoRuleCanCountAnyMore) {
  Use(Counting("frequency=\"4\" timeframe=\"100\"", std::string(kSid) + "<same_source_ip/>"));
  for (int i = 0; i < 50; ++i) Record(1000 + i, fmt::format("10.0.0.{}", i));
  EXPECT_EQ(correlator_->size(), 50u);
  Record(100'000, "10.0.0.1");
  EXPECT_EQ(correlator_->size(), 1u);
  EXPECT_EQ(correlator_->forced_evictions(), 0u);
}

TEST_F(History, KeepsNoMoreOfASourceThanARuleNeeds) {
  Use(Counting("frequency=\"4\" timeframe=\"9999\"", std::string(kSid) + "<same_source_ip/>"));
  for (int i = 0; i < 1000; ++i) Record(1000, "10.0.0.1");
  EXPECT_EQ(correlator_->size(), 5u);
  EXPECT_EQ(correlator_->forced_evictions(), 0u);
}

TEST_F(History, ForgetsTheOldestWhenItGetsTooLarge) {
  Use(Counting("frequency=\"4\" timeframe=\"9999\"", std::string(kSid) + "<same_source_ip/>"));
  const std::string text(60'000, 'x');
  const size_t most = Correlator::kMaxBytes / text.size();
  for (size_t i = 0; i < most + 100; ++i) {
    event_.Reset();
    event_.Refer('1', "/x", text, 1000);
    const std::string address = fmt::format("10.0.{}.{}", i / 250, i % 250);
    event_.Set(Field::kSrcIp, address);
    correlator_->Record(event_, *ruleset_->rules().Find(101), 0);
  }
  EXPECT_LE(correlator_->size(), most);
  EXPECT_GT(correlator_->size(), most * 9 / 10);
  EXPECT_EQ(correlator_->size() + correlator_->forced_evictions(), most + 100);
}

TEST_F(History, StoresNothingThatNoRuleCounts) {
  Use(R"(<group name="c,"><rule id="101" level="5"><decoded_as>k</decoded_as><description>d</description></rule></group>)");
  Record(1000, "10.0.0.1");
  EXPECT_EQ(correlator_->size(), 0u);
}

TEST_F(History, ComesBackFromItsBytes) {
  Use(Counting("frequency=\"4\" timeframe=\"9999\"",
               std::string(kSid) + "<same_source_ip/><different_url/>"));
  for (int i = 0; i < 3; ++i) Record(1000, "10.0.0.1");  // without url: never counted
  event_.Set(Field::kUrl, "/a");
  correlator_->Record(event_, *ruleset_->rules().Find(101), 0);
  std::string bytes;
  correlator_->Save(bytes);
  Correlator other(ruleset_->rules(), ruleset_->options());
  ASSERT_TRUE(other.Restore(bytes));
  EXPECT_EQ(other.size(), 1u);
  std::string again;
  other.Save(again);
  EXPECT_EQ(again, bytes);
}

TEST_F(History, RefusesBytesThatAreCutOrChanged) {
  Use(Counting("frequency=\"4\" timeframe=\"9999\"", std::string(kSid) + "<same_source_ip/>"));
  for (int i = 0; i < 3; ++i) Record(1000 + i, "10.0.0.1");
  std::string bytes;
  correlator_->Save(bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(correlator_->Restore(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(correlator_->Restore(bytes + "x"));
  EXPECT_EQ(correlator_->size(), 3u);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = '\xff';
    correlator_->Restore(changed);  // any answer, but no crash and no wild allocation
  }
}

TEST(Reload, KeepsCountingForRulesThatAreUnchanged) {
  const std::string before = Counting("frequency=\"2\"", std::string(kSid) + "<same_source_ip/>");
  struct Case {
    std::string rules;
    std::string_view answer;
  };
  std::string described = before;
  described.replace(described.find("many"), 4, "lots");
  const std::vector<Case> cases{
      {before, "102"},
      {described, "102"},
      {Counting("frequency=\"2\" timeframe=\"50\"", std::string(kSid) + "<same_source_ip/>"),
       "101"},
      {Counting("frequency=\"2\"", std::string(kSid)), "101"},
  };
  for (const Case& one : cases) {
    Judging judging(before);
    EXPECT_EQ(judging.Rules(Repeated("srcip=1.1.1.1", 3)), "101 101 101");
    config::Problems problems;
    judging.engine->Replace(MakeRuleset(Parts{.rules = one.rules}, problems));
    EXPECT_EQ(judging.Rules(Repeated("srcip=1.1.1.1", 1), 1004), one.answer) << one.rules;
  }
}

TEST(Reload, ForgetsEventsOfRulesThatChanged) {
  Judging judging(Counting("frequency=\"1\"", kSid));
  EXPECT_EQ(judging.Rules(Repeated("x", 2)), "101 101");
  std::string changed = Counting("frequency=\"1\"", kSid);
  changed.insert(changed.find("<decoded_as>"), "<match>x</match>");
  config::Problems problems;
  judging.engine->Replace(MakeRuleset(Parts{.rules = changed}, problems));
  EXPECT_EQ(judging.Rules(Repeated("x", 3), 1004), "101 101 102");
}

TEST(Reload, KeepsCountingWhenOnlyLevelsChange) {
  Judging judging(Counting("frequency=\"1\"", kSid));
  EXPECT_EQ(judging.Rules(Repeated("x", 2)), "101 101");
  std::string changed = Counting("frequency=\"1\"", kSid, 14);
  changed.replace(changed.find("level=\"5\""), 9, "level=\"6\"");
  config::Problems problems;
  judging.engine->Replace(MakeRuleset(Parts{.rules = changed}, problems));
  EXPECT_EQ(judging.Rules(Repeated("x", 1), 1004), "102");
}

}  // namespace
}  // namespace ospatrol::analysisd
