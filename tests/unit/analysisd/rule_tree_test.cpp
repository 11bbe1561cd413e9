#include "analysisd/rule_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "judging.h"

namespace ospatrol::analysisd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// "1(200(202 210) 201) 2": nodes in the order in which they are tried.
std::string Draw(const SiblingList& list) {
  std::string drawing;
  for (const auto& node : list.all()) {
    if (!drawing.empty()) drawing += ' ';
    drawing += std::to_string(node->rule->id);
    if (!node->children.empty()) drawing += '(' + Draw(node->children) + ')';
  }
  return drawing;
}

// The tree below template 1.
std::string Tree(std::string_view rules) {
  config::Problems problems;
  const auto ruleset =
      MakeRuleset(Parts{.rules = fmt::format("<group name=\"g,\">{}</group>", rules)}, problems);
  if (ruleset == nullptr) return ProblemText(problems);
  return Draw(ruleset->rules().tree().roots().all()[0]->children);
}

std::string R(int id, int level, std::string_view more = "", std::string_view attributes = "") {
  return fmt::format("<rule id=\"{}\" level=\"{}\" {}><match>r{}</match>{}</rule>\n", id, level,
                     attributes, id, more);
}
std::string Below(int parent) { return fmt::format("<if_sid>{}</if_sid>", parent); }

TEST(RuleTree, TriesLevelZeroThenHighLevelsThenLoadOrderThenTheInaccurate) {
  EXPECT_EQ(Tree(R(100, 3) + R(101, 12) + R(102, 0) + R(103, 3) + R(104, 15, "", "accuracy=\"0\"") +
                 R(105, 0) + R(106, 12)),
            "102 105 101 106 100 103 104");
}

TEST(RuleTree, HangsARuleBelowEveryParentThatItNames) {
  EXPECT_EQ(Tree(R(100, 3) + R(101, 3) + R(102, 5, "<if_sid>100, 101 100</if_sid>")),
            "100(102) 101(102)");
}

TEST(RuleTree, FindsParentsInEveryBranch) {
  EXPECT_EQ(
      Tree(R(100, 3) + R(101, 3) + R(102, 5, "<if_sid>100,101</if_sid>") + R(103, 5, Below(102))),
      "100(102(103)) 101(102(103))");
  EXPECT_EQ(
      Tree(R(100, 3) + R(101, 9, Below(100)) + R(102, 5, Below(100)) +
           R(104, 4, "<if_sid>101,102</if_sid>") + R(105, 4, Below(104)) + R(106, 4, Below(101))),
      "100(101(104(105) 106) 102(104(105)))");
}

TEST(RuleTree, AHitEndsTheSearchAmongItsSiblings) {
  // 102 hangs beside 101 and below it. As the first of the siblings it hides its other node, ...
  EXPECT_EQ(Tree(R(101, 5) + R(102, 9, "<if_sid>1,101</if_sid>") + R(103, 4, Below(102))),
            "102(103) 101(102)");
  // ... as the last one it does not.
  EXPECT_EQ(Tree(R(101, 5) + R(102, 3, "<if_sid>1,101</if_sid>") + R(103, 4, Below(102))),
            "101(102(103)) 102(103)");
}

TEST(RuleTree, IfLevelTakesLevelZeroForNinetyNineAndSkipsTheInaccurate) {
  EXPECT_EQ(Tree(R(100, 0) + R(101, 9) + R(102, 8) + R(103, 12, "", "accuracy=\"0\"") +
                 R(104, 4, "<if_level>9</if_level>")),
            "100(104) 101(104) 102 104 103");
}

TEST(RuleTree, IfGroupMatchesWordsAnywhereInTheGroupString) {
  EXPECT_EQ(
      Tree(R(100, 3, "<group>web_attacks,</group>") + R(101, 3, "<group>other,</group>") +
           R(102, 5, "<if_group>attack</if_group>") + R(103, 5, "<if_group>^g,other</if_group>")),
      "100(102) 101(103)");
}

TEST(RuleTree, IfGroupAndIfLevelDoNotHangARuleBelowItself) {
  EXPECT_EQ(Tree(R(100, 3, "<group>mine,</group>") +
                 R(101, 5, "<if_group>mine</if_group><group>mine,</group>")),
            "100(101)");
}

TEST(RuleTree, ChoosesOneKindOfParentByOrderOfPrecedence) {
  EXPECT_EQ(Tree(R(100, 3, "<group>x,</group>") + R(101, 12) +
                 R(102, 5, "<if_sid>100</if_sid><if_level>12</if_level><if_group>x</if_group>")),
            "101 100(102)");
  EXPECT_THAT(Tree(R(100, 3, "<group>x,</group>") + R(101, 12) +
                   R(102, 5, "<if_level>12</if_level><if_group>x</if_group>")),
              "101(102) 102 100");
}

TEST(RuleTree, CountingRulesHangBelowWhatTheyCount) {
  EXPECT_EQ(Tree(R(100, 3, "<group>x,</group>") + R(101, 3, "<group>x,</group>") +
                 R(102, 5, "<if_matched_sid>100</if_matched_sid>") +
                 R(103, 5, "<if_matched_group>x</if_matched_group>")),
            "100(102 103) 101(103)");
}

TEST(RuleTree, OnlyRulesLoadedBeforeAreFound) {
  EXPECT_EQ(Tree(R(100, 3, "<group>x,</group>") + R(101, 5, "<if_group>x</if_group>") +
                 R(102, 3, "<group>x,</group>")),
            "100(101) 102");
}

TEST(RuleTree, IdsBelowTenAreRoots) {
  config::Problems problems;
  const auto ruleset = MakeRuleset(
      Parts{
          .rules =
              R"(<group name="g,"><rule id="9" level="3"><if_sid>1</if_sid><match>x</match></rule></group>)"},
      problems);
  ASSERT_NE(ruleset, nullptr);
  EXPECT_EQ(Draw(ruleset->rules().tree().roots()), "1 2 3 4 5 6 7 9");
}

TEST(RuleTree, NumbersSiblingsSideBySide) {
  config::Problems problems;
  const auto ruleset = MakeRuleset(Parts{.rules = "<group name=\"g,\">" + R(100, 3) + R(101, 9) +
                                                  R(102, 5, "<if_sid>100</if_sid>") +
                                                  R(103, 4, "<if_sid>101</if_sid>") + "</group>"},
                                   problems);
  ASSERT_NE(ruleset, nullptr);
  const RuleTree& tree = ruleset->rules().tree();
  std::vector<size_t> seen;
  const std::function<void(const SiblingList&)> number = [&](const SiblingList& list) {
    for (size_t i = 0; i < list.all().size(); ++i) {
      seen.push_back(list.first() + i);
      number(list.all()[i]->children);
    }
  };
  number(tree.roots());
  std::sort(seen.begin(), seen.end());
  ASSERT_EQ(seen.size(), tree.node_count());
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
}

TEST(RuleTree, RefusesATreeThatDoublesWithEachRule) {
  std::string rules;
  for (int id = 100; id < 140; ++id) rules += R(id, 9, "<if_level>5</if_level>");
  EXPECT_THAT(Tree(rules), HasSubstr("the tree of rules grows beyond 262144 nodes"));
}

TEST(RuleTree, ListsEveryRuleOnceInTreeOrder) {
  config::Problems problems;
  const auto ruleset =
      MakeRuleset(Parts{.rules = "<group name=\"g,\">" + R(100, 3) + R(101, 9) +
                                 R(102, 5, "<if_sid>100,101</if_sid>") + "</group>"},
                  problems);
  ASSERT_NE(ruleset, nullptr);
  std::vector<int> ids;
  for (const Rule* rule : ruleset->rules().InTreeOrder()) ids.push_back(rule->id);
  EXPECT_THAT(ids, ElementsAre(1, 101, 102, 100, 2, 3, 4, 5, 6, 7));
}

}  // namespace
}  // namespace ospatrol::analysisd
