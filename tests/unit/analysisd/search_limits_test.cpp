#include "analysisd/search_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../temporary_directory.h"
#include "base/files.h"
#include "judging.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

// Not regular, and its search backtracks without end on many `a` without an `x` behind them.
constexpr std::string_view kEndless = R"((?=a)(a+)+(a+)+(a+)+\1[xy])";

class SearchLimitsTest : public testing::Test {
 protected:
  SearchLimitsTest() {
    log::Configure("test", directory_ / "log", false);
    config::Problems problems;
    ruleset_ = MakeRuleset({.rules = fmt::format(R"(
<group name="local,">
<rule id="100100" level="5"><pcre2>{0}</pcre2><description>endless</description></rule>
<rule id="100101" level="5"><match>quick</match><description>quick</description></rule>
<rule id="100102" level="5"><if_sid>100101</if_sid><pcre2>{0}</pcre2><description>again</description></rule>
</group>)",
                                                 kEndless)},
                           problems);
  }
  ~SearchLimitsTest() override { log::Configure("test", {}, true); }

  void Judge(const std::string& line) {
    MemoryState state;
    Engine engine(ruleset_, state);
    Event event;
    event.Reset();
    event.Assign('1', "/var/log/test", line, 1'700'000'000);
    engine.Decode(event);
    engine.Judge(event);
  }
  std::string Told() {
    std::string log = base::ReadFileIfPresent(directory_ / "log").value_or("");
    std::filesystem::remove(directory_ / "log");
    return log;
  }

  TemporaryDirectory directory_;
  std::shared_ptr<const Ruleset> ruleset_;
};

TEST_F(SearchLimitsTest, AreToldWithTheRuleAndItsPatternAtMostOnceAMinute) {
  ASSERT_NE(ruleset_, nullptr);
  SearchLimits limits;
  const std::chrono::steady_clock::time_point start{};
  const std::string long_line = "Nov 22 10:00:00 host app: " + std::string(3000, 'a');
  Judge("Nov 22 10:00:00 host app: quick");
  EXPECT_FALSE(limits.HasNews());
  limits.Tell(*ruleset_, start);
  EXPECT_THAT(Told(), IsEmpty());

  Judge(long_line);
  EXPECT_TRUE(limits.HasNews());
  limits.Tell(*ruleset_, start);
  const std::string told = Told();
  EXPECT_THAT(told, HasSubstr("(9217): WARN: 1 searches were given up"));
  EXPECT_THAT(told, HasSubstr("for rule 100100 ("));
  EXPECT_THAT(told, HasSubstr("and 1 other: '(?=a)(a+)+(a+)+(a+)+"));
  EXPECT_FALSE(limits.HasNews());

  Judge(long_line);
  Judge(long_line);
  limits.Tell(*ruleset_, start + seconds(59));
  EXPECT_THAT(Told(), IsEmpty());
  limits.Tell(*ruleset_, start + seconds(61));
  EXPECT_THAT(Told(), HasSubstr("2 searches were given up"));
}

TEST_F(SearchLimitsTest, NamesDecodersToo) {
  ASSERT_NE(ruleset_, nullptr);
  EXPECT_EQ(OwnersOfPattern(*ruleset_, "^plain "), "decoder 'plain'");
  EXPECT_EQ(OwnersOfPattern(*ruleset_, "nobody has this"), "a pattern that is not in use any more");
}

}  // namespace
}  // namespace ospatrol::analysisd
