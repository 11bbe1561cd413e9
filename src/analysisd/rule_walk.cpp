#include "analysisd/rule_walk.h"

#include "analysisd/condition.h"

namespace ospatrol::analysisd {

RuleWalk::RuleWalk(const RuleTree& tree) : nodes_(tree.node_count()) {
  const SiblingList& roots = tree.roots();
  for (size_t i = 0; i < roots.all().size(); ++i) {
    const auto category = static_cast<size_t>(roots.all()[i]->rule->category);
    roots_[category].push_back(static_cast<uint32_t>(roots.first() + i));
  }
  Take(roots, /*is_root=*/true);
}

void RuleWalk::Take(const SiblingList& list, bool is_root) {
  for (size_t i = 0; i < list.all().size(); ++i) {
    const RuleNode& from = *list.all()[i];
    Node& node = nodes_[list.first() + i];
    node.rule = from.rule;
    node.first_child = static_cast<uint32_t>(from.children.first());
    node.children = static_cast<uint32_t>(from.children.all().size());
    node.first_test = static_cast<uint32_t>(tests_.size());
    for (const auto& condition : from.rule->conditions) {
      if (is_root || !condition->IsDecoder()) tests_.push_back(condition.get());
    }
    node.tests = static_cast<uint32_t>(tests_.size()) - node.first_test;
    node.tells = from.rule->correlation != nullptr || from.rule->check_diff;
    node.counts = from.rule->correlation != nullptr && !from.rule->check_diff;
  }
  for (const auto& node : list.all()) Take(node->children, /*is_root=*/false);
}

}  // namespace ospatrol::analysisd
