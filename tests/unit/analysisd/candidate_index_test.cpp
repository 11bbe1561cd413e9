#include "analysisd/candidate_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysisd/decoder_set.h"
#include "analysisd/rule_walk.h"
#include "analysisd/ruleset.h"
#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::ElementsAre;

std::string R(int id, std::string_view conditions) {
  return fmt::format("<rule id=\"{}\" level=\"3\">{}<description>d</description></rule>", id,
                     conditions);
}

class CandidateIndexTest : public testing::Test {
 protected:
  void Load(std::string_view rules) {
    config::Problems problems;
    ruleset_ =
        MakeRuleset(Parts{.rules = fmt::format("<group name=\"g,\">{}</group>", rules)}, problems);
    ASSERT_NE(ruleset_, nullptr) << ProblemText(problems);
    engine_ = std::make_unique<Engine>(ruleset_, state_);
  }

  // Rules below template 1 that the event can reach.
  std::vector<int> Reached(std::string_view line) {
    event_.Assign('1', "/var/log/messages", line, 1773480413);
    engine_->Decode(event_);
    return Reached();
  }
  std::vector<int> Reached() {
    std::vector<int> ids;
    ruleset_->index().Load(event_, reached_);
    const RuleWalk& walk = ruleset_->walk();
    CandidateIndex::ForEach(walk[0].first_child, walk[0].children, reached_, [&](size_t number) {
      ids.push_back(walk[number].rule->id);
      return false;
    });
    return ids;
  }

  std::shared_ptr<const Ruleset> ruleset_;
  MemoryState state_;
  std::unique_ptr<Engine> engine_;
  Event event_;
  CandidateIndex::Reached reached_;  // used again, as the engine does
};

constexpr std::string_view kHeader = "Mar 14 09:26:53 host1 ";

TEST_F(CandidateIndexTest, ShowsADecoderOnlyTheRulesThatCanApplyToIt) {
  Load(R(100, "<decoded_as>k</decoded_as>") + R(101, "") + R(102, "<decoded_as>f</decoded_as>") +
       R(103, "<decoded_as>k</decoded_as>"));
  EXPECT_THAT(Reached(fmt::format("{}k: x", kHeader)), ElementsAre(100, 101, 103));
  EXPECT_THAT(Reached(fmt::format("{}f: x", kHeader)), ElementsAre(101, 102));
  EXPECT_THAT(Reached("plain x"), ElementsAre(101));
  EXPECT_THAT(Reached("other"), ElementsAre(101));
}

TEST_F(CandidateIndexTest, LeavesOutRulesWhoseTextDoesNotOccur) {
  Load(R(100, "<match>failed|denied</match>") + R(101, "<pcre2>^session \\d+ closed</pcre2>") +
       R(102, "<match>of</match>") + R(103, "<match negate=\"yes\">failed</match>") +
       R(104, "<program_name>crond</program_name>"));
  EXPECT_THAT(Reached(fmt::format("{}k: Access DENIED", kHeader)), ElementsAre(100, 102, 103));
  EXPECT_THAT(Reached(fmt::format("{}k: session 5 closed", kHeader)), ElementsAre(101, 102, 103));
  EXPECT_THAT(Reached(fmt::format("{}crond: x", kHeader)), ElementsAre(102, 103, 104));
}

TEST_F(CandidateIndexTest, KeepsRulesWhoseValueIsNoPartOfTheMessage) {
  Load(R(100, "<user>alice</user>") + R(101, "<match>alice</match>"));
  EXPECT_THAT(Reached(fmt::format("{}k: dstuser=bob", kHeader)), testing::IsEmpty());
  event_.Set(Field::kDstUser, event_.Keep("alice"));
  ruleset_->index().SelectRules(event_);
  EXPECT_THAT(Reached(), ElementsAre(100));
  event_.log = event_.Keep("said alice");
  ruleset_->index().SelectRules(event_);
  EXPECT_THAT(Reached(), ElementsAre(100, 101));
}

TEST_F(CandidateIndexTest, LeavesOutPrematchesWhoseTextDoesNotOccur) {
  Load(R(100, ""));
  const auto candidates = [&](std::string_view line) {
    Reached(line);
    std::vector<std::string> names;
    for (const auto& decoder : ruleset_->decoders().decoders()) {
      const DecoderPattern& prematch = decoder->prematch;
      if (prematch && event_.IsCandidate(prematch.bit)) names.push_back(decoder->name);
    }
    return names;
  };
  EXPECT_THAT(candidates("a plain x"), testing::Contains("plain"));
  EXPECT_THAT(candidates("anything else"), testing::Not(testing::Contains("plain")));
}

// U+212A folds to k: a search by bytes does not find "key" in it.
TEST_F(CandidateIndexTest, KeepsAllRulesForCharactersThatFoldToAscii) {
  Load(R(100, "<match>key</match>"));
  EXPECT_THAT(Reached(fmt::format("{}k: the \xE2\x84\xAA"
                                  "ey",
                                  kHeader)),
              ElementsAre(100));
}

TEST_F(CandidateIndexTest, AsksWhatMustBeStoredEvenWhenALaterTextIsMissing) {
  Load(R(100, "<if_fts/>") + R(101, "<decoded_as>fts</decoded_as><if_fts/>"));
  EXPECT_THAT(Reached(fmt::format("{}fts: u=x", kHeader)), ElementsAre(100, 101));
}

TEST_F(CandidateIndexTest, FilesNothingByTextsWhenToldSo) {
  config::Problems problems;
  EngineOptions options = JudgingOptions();
  options.search_texts = false;
  ruleset_ = MakeRuleset(
      Parts{.rules = "<group name=\"g,\">" + R(100, "<match>failed</match>") + "</group>",
            .options = options},
      problems);
  ASSERT_NE(ruleset_, nullptr);
  engine_ = std::make_unique<Engine>(ruleset_, state_);
  EXPECT_THAT(Reached("other"), ElementsAre(100));
  EXPECT_EQ(ruleset_->index().texts(), 0u);
}

TEST_F(CandidateIndexTest, FindsNodesBeyondTheFirstWord) {
  std::string rules;
  for (int id = 100; id < 400; ++id) {
    rules += R(id, fmt::format("<match>word{}x</match>", id));
  }
  Load(rules);
  for (const int id : {100, 163, 164, 227, 228, 399}) {
    const std::vector<int> reached = Reached(fmt::format("word{}x", id));
    EXPECT_THAT(reached, ElementsAre(id));
  }
}

}  // namespace
}  // namespace ospatrol::analysisd
