// All rules of one load, ready to be tried. Immutable; shared by all threads.
#pragma once

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "analysisd/rule.h"
#include "analysisd/rule_tree.h"

namespace ospatrol::analysisd {

class RuleSet {
 public:
  // `rules` in load order; `tree` refers to them. `counted_from[i]` tells the load position from
  // which on rules are too late to be counted by rule i (4.5: only rules loaded before are found).
  RuleSet(std::vector<std::unique_ptr<Rule>> rules, RuleTree tree,
          std::span<const size_t> counted_from);
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  const std::vector<std::unique_ptr<Rule>>& rules() const { return rules_; }
  const Rule* Find(int id) const;
  const RuleTree& tree() const { return tree_; }

  // Composite rules that count events whose final rule is `rule`.
  std::span<const Rule* const> CountersOf(const Rule& rule) const { return counters_[rule.index]; }
  // Composite rules that count any recorded event by its text.
  std::span<const Rule* const> RegexCounters() const { return regex_counters_; }
  // All composite rules that count.
  std::span<const Rule* const> CompositeRules() const { return composite_; }

  // Every rule once, in the order of the tree: statistics lines.
  std::vector<const Rule*> InTreeOrder() const;

 private:
  std::vector<std::unique_ptr<Rule>> rules_;
  RuleTree tree_;
  std::unordered_map<int, const Rule*> by_id_;
  std::vector<std::vector<const Rule*>> counters_;  // by Rule::index
  std::vector<const Rule*> regex_counters_;
  std::vector<const Rule*> composite_;
};

}  // namespace ospatrol::analysisd
