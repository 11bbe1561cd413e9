// The finished rule tree as events walk through it: what is needed of a rule until it holds stands
// side by side, in the order in which rules are tried, so that a rule that fails touches little
// memory. rule_tree.h is the tree as it is built.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analysisd/event.h"
#include "analysisd/rule_tree.h"

namespace ospatrol::analysisd {

// Immutable; all of it is thread-safe.
class RuleWalk {
 public:
  struct Node {
    const Rule* rule;
    uint32_t first_child, children;  // numbers of nodes
    uint32_t first_test, tests;      // positions in tests_
    bool counts;                     // earlier events, behind the tests
    bool tells;                      // what it counted, or what check_diff found
  };

  // REQUIRES: the tree is finished; it must outlive the walk.
  explicit RuleWalk(const RuleTree& tree);

  // By the numbers of rule_tree.h.
  const Node& operator[](size_t number) const { return nodes_[number]; }

  // Conditions of the rule in their order. Below the top without <decoded_as>: an event reaches
  // only rules of its decoder (candidate_index.h).
  std::span<const Condition* const> TestsOf(const Node& node) const {
    return {tests_.data() + node.first_test, node.tests};
  }

  // Top-level nodes for events of a category, in the order in which they are tried.
  std::span<const uint32_t> RootsOf(Category category) const {
    return roots_[static_cast<size_t>(category)];
  }

 private:
  void Take(const SiblingList& list, bool is_root);

  std::vector<Node> nodes_;
  std::vector<const Condition*> tests_;
  std::array<std::vector<uint32_t>, kCategoryCount> roots_;
};

}  // namespace ospatrol::analysisd
