#include "analysisd/rule_set.h"

#include <utility>

namespace ospatrol::analysisd {
namespace {

bool Counts(const Correlation& correlation, const Rule& earlier) {
  switch (correlation.kind) {
    case Correlation::Kind::kSid:
      return earlier.id == correlation.sid;
    case Correlation::Kind::kGroup:
      return correlation.pattern->Matches(earlier.group);
    case Correlation::Kind::kRegex:
      return false;  // any event: regex_counters_
  }
  return false;
}

void Collect(const SiblingList& list, std::vector<bool>& seen, std::vector<const Rule*>& out) {
  for (const auto& node : list.all()) {
    if (!seen[node->rule->index]) out.push_back(node->rule);
    seen[node->rule->index] = true;
    Collect(node->children, seen, out);
  }
}

}  // namespace

RuleSet::RuleSet(std::vector<std::unique_ptr<Rule>> rules, RuleTree tree,
                 std::span<const size_t> counted_from)
    : rules_(std::move(rules)), tree_(std::move(tree)), counters_(rules_.size()) {
  for (size_t i = 0; i < rules_.size(); ++i) {
    rules_[i]->index = static_cast<uint32_t>(i);
    by_id_.emplace(rules_[i]->id, rules_[i].get());
  }
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = *rules_[i];
    // With check_diff nothing is counted (4.10).
    if (rule.correlation == nullptr || rule.check_diff) continue;
    composite_.push_back(&rule);
    if (rule.correlation->kind == Correlation::Kind::kRegex) regex_counters_.push_back(&rule);
    for (size_t j = 0; j < counted_from[i] && j < rules_.size(); ++j) {
      if (j != i && Counts(*rule.correlation, *rules_[j])) counters_[j].push_back(&rule);
    }
  }
}

const Rule* RuleSet::Find(int id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::vector<const Rule*> RuleSet::InTreeOrder() const {
  std::vector<const Rule*> rules;
  std::vector<bool> seen(rules_.size());
  Collect(tree_.roots(), seen, rules);
  return rules;
}

}  // namespace ospatrol::analysisd
