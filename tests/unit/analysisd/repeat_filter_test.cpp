#include "analysisd/repeat_filter.h"

#include <gtest/gtest.h>

#include "analysisd/firewall.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

class Repeats : public testing::Test {
 protected:
  bool IsRepeat(std::string_view text, std::string_view location = "/a",
                Category category = Category::kSyslog) {
    event_.Reset();
    event_.Assign('1', location, text, 1000);
    event_.category = category;
    return filter_.IsRepeat(event_);
  }
  RepeatFilter filter_;
  Event event_;
};

TEST_F(Repeats, AreLinesOfTheLastThreeDifferentOnes) {
  EXPECT_FALSE(IsRepeat("a"));
  EXPECT_TRUE(IsRepeat("a"));
  EXPECT_FALSE(IsRepeat("b"));
  EXPECT_FALSE(IsRepeat("c"));
  EXPECT_TRUE(IsRepeat("a"));  // a repeat does not enter the window again
  EXPECT_FALSE(IsRepeat("d"));
  EXPECT_FALSE(IsRepeat("a"));
  EXPECT_TRUE(IsRepeat("d"));
}

TEST_F(Repeats, BelongToALocation) {
  EXPECT_FALSE(IsRepeat("a", "/a"));
  EXPECT_FALSE(IsRepeat("a", "/b"));
  EXPECT_TRUE(IsRepeat("a", "/b"));
}

TEST_F(Repeats, AreLookedForInSyslogEventsOnly) {
  EXPECT_FALSE(IsRepeat("a", "/a", Category::kFirewall));
  EXPECT_FALSE(IsRepeat("a", "/a"));
  EXPECT_FALSE(IsRepeat("a", "/a", Category::kWebLog));
}

TEST_F(Repeats, TakeBoundedMemory) {
  const std::string line(60'000, 'x');
  for (int i = 0; i < 1400; ++i) IsRepeat(line, "/location" + std::to_string(i));
  EXPECT_LT(filter_.locations(), 1200u);
  EXPECT_TRUE(IsRepeat(line, "/location1399"));
}

TEST(RepeatsInTheEngine, GetNoRulesUnlessTheFilterIsOff) {
  Parts parts{
      .rules =
          R"(<group name="g,"><rule id="100" level="3"><match>a</match><description>d</description></rule></group>)"};
  parts.options.repeat_filter = true;
  Judging judging(parts);
  EXPECT_EQ(judging.Rule("a 1"), 100);
  const Verdict second = judging.Judge("a 1");
  EXPECT_EQ(second.rule, nullptr);
  EXPECT_TRUE(second.duplicate);
  EXPECT_EQ(judging.Rule("a 1", 1000, "/other"), 100);
  parts.options.repeat_filter = false;
  Judging off(parts);
  EXPECT_EQ(off.Rule("a 1"), 100);
  EXPECT_EQ(off.Rule("a 1"), 100);
}

TEST(Firewall, NormalisesWhatWasDone) {
  for (const auto& [action, word] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"drop", "DROP"},
                                                                  {"Deny", "DROP"},
                                                                  {"REJECT", "DROP"},
                                                                  {"blocked", "DROP"},
                                                                  {"close", "CLOSED"},
                                                                  {"Teardown", "CLOSED"},
                                                                  {"accept", "ALLOW"},
                                                                  {"pass", "ALLOW"},
                                                                  {"Open", "ALLOW"},
                                                                  {"x-Drop", "DROP"},
                                                                  {"ip-ACCEPT", "ALLOW"},
                                                                  {"what", "UNKNOWN"},
                                                                  {"", "UNKNOWN"}}) {
    EXPECT_EQ(NormaliseAction(action), word) << action;
  }
}

TEST(Firewall, RulesSeeTheWordAndIncompleteEventsToo) {
  Parts parts{
      .rules =
          R"(<group name="g,"><rule id="100" level="3"><category>firewall</category><action>DROP</action><description>d</description></rule>
<rule id="101" level="2"><category>firewall</category><description>d</description></rule></group>)"};
  Judging judging(parts);
  EXPECT_EQ(judging.Rule(Syslog("f", "deny 1.1.1.1 2.2.2.2 tcp")), 100);
  EXPECT_TRUE(IsCompleteFirewallEvent(judging.event));
  EXPECT_EQ(judging.Rule(Syslog("f", "deny")), 101);
  EXPECT_FALSE(IsCompleteFirewallEvent(judging.event));
  parts.options.log_fw = false;
  Judging off(parts);
  EXPECT_EQ(off.Rule(Syslog("f", "deny 1.1.1.1 2.2.2.2 tcp")), 101);
}

}  // namespace
}  // namespace ospatrol::analysisd
