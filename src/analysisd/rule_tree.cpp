#include "analysisd/rule_tree.h"

#include <algorithm>
#include <utility>

namespace ospatrol::analysisd {
namespace {

// Higher keys are tried first.
int SortKey(const Rule& rule) {
  if (!rule.accurate) return rule.level;
  return rule.level == 0 ? 9900 : rule.level * 100;
}

bool ComesBefore(const RuleNode& a, const RuleNode& b) {
  return a.key != b.key ? a.key > b.key : a.order < b.order;
}

}  // namespace

SiblingList::SiblingList() = default;
SiblingList::~SiblingList() = default;
SiblingList::SiblingList(SiblingList&&) noexcept = default;
SiblingList& SiblingList::operator=(SiblingList&&) noexcept = default;

void SiblingList::Insert(std::unique_ptr<RuleNode> node) {
  const auto place =
      std::upper_bound(nodes_.begin(), nodes_.end(), node,
                       [](const auto& a, const auto& b) { return ComesBefore(*a, *b); });
  nodes_.insert(place, std::move(node));
}

std::unique_ptr<RuleNode> RuleTree::MakeNode(const Rule& rule) {
  if (uprooted_ != nullptr) {
    indexed_ = false;
    std::unique_ptr<RuleNode> copy = Clone(*uprooted_);
    copy->key = SortKey(rule);
    return copy;
  }
  auto node = std::make_unique<RuleNode>();
  node->rule = &rule;
  node->key = SortKey(rule);
  node->order = next_order_;
  ++node_count_;
  nodes_of_[rule.id].push_back(node.get());
  return node;
}

std::unique_ptr<RuleNode> RuleTree::Clone(const RuleNode& node) {
  auto copy = std::make_unique<RuleNode>();
  copy->rule = node.rule;
  copy->key = node.key;
  copy->order = node.order;
  ++node_count_;
  if (IsTooLarge()) return copy;
  for (const auto& child : node.children.nodes_) copy->children.Insert(Clone(*child));
  return copy;
}

void RuleTree::Hang(const Rule& rule, SiblingList& list) { list.Insert(MakeNode(rule)); }

size_t RuleTree::AddRoot(const Rule& rule) {
  Hang(rule, roots_);
  ++next_order_;
  return 1;
}

size_t RuleTree::AddBelowCategory(const Rule& rule, Category category) {
  for (const auto& root : roots_.nodes_) {
    if (root->rule->category != category) continue;
    Hang(rule, root->children);
    ++next_order_;
    return 1;
  }
  return 0;
}

size_t RuleTree::AddBelowRule(const Rule& rule, int parent) {
  const std::vector<RuleNode*>& nodes = AllNodes()[parent];
  size_t added = nodes.size();
  if (added == 1) {
    Hang(rule, nodes.front()->children);
  } else if (added > 1) {
    added = AddBelowRule(rule, parent, roots_);
  }
  ++next_order_;
  return added;
}

RuleTree::Nodes& RuleTree::AllNodes() {
  if (!indexed_) {
    nodes_of_.clear();
    Index(roots_);
    indexed_ = true;
  }
  return nodes_of_;
}

void RuleTree::Index(const SiblingList& list) {
  for (const auto& node : list.nodes_) {
    nodes_of_[node->rule->id].push_back(node.get());
    Index(node->children);
  }
}

size_t RuleTree::AddBelowRule(const Rule& rule, int parent, SiblingList& list) {
  size_t added = 0;
  for (const auto& node : list.nodes_) {
    if (IsTooLarge()) return added;
    if (node->rule->id == parent) {
      Hang(rule, node->children);
      return added + 1;
    }
    added += AddBelowRule(rule, parent, node->children);
  }
  return added;
}

template <typename Wanted>
size_t RuleTree::AddEverywhere(const Rule& rule, const Wanted& wanted) {
  std::vector<RuleNode*> parents;
  for (const auto& [id, nodes] : AllNodes()) {
    const Rule* parent = nullptr;
    bool fits = false;
    for (RuleNode* node : nodes) {
      if (node->rule != parent) {
        parent = node->rule;
        fits = parent != &rule && wanted(*parent);
      }
      if (fits) parents.push_back(node);
    }
  }
  size_t added = 0;
  for (RuleNode* parent : parents) {
    if (IsTooLarge()) break;
    Hang(rule, parent->children);
    ++added;
  }
  return added;
}

size_t RuleTree::AddBelowLevel(const Rule& rule, int level) {
  const size_t added = AddEverywhere(rule, [&](const Rule& parent) {
    if (!parent.accurate) return false;
    return (parent.level == 0 ? 99 : parent.level) >= level;
  });
  ++next_order_;
  return added;
}

size_t RuleTree::AddBelowGroup(const Rule& rule, const pattern::Pattern& group) {
  const size_t added =
      AddEverywhere(rule, [&](const Rule& parent) { return group.Matches(parent.group); });
  ++next_order_;
  return added;
}

void RuleTree::Uproot(const Rule& rule) {
  indexed_ = false;
  Uproot(rule, roots_);
}

void RuleTree::Uproot(const Rule& rule, SiblingList& list) {
  for (size_t i = 0; i < list.nodes_.size();) {
    if (list.nodes_[i]->rule != &rule) {
      Uproot(rule, list.nodes_[i]->children);
      ++i;
      continue;
    }
    std::unique_ptr<RuleNode> node = std::move(list.nodes_[i]);
    list.nodes_.erase(list.nodes_.begin() + static_cast<std::ptrdiff_t>(i));
    if (uprooted_ == nullptr) {
      uprooted_ = std::move(node);
      continue;
    }
    // Another node of the same rule: children that the first one lacks are kept too.
    for (auto& child : node->children.nodes_) {
      const auto& kept = uprooted_->children.nodes_;
      const bool known = std::any_of(kept.begin(), kept.end(),
                                     [&](const auto& k) { return k->rule == child->rule; });
      if (!known) uprooted_->children.Insert(std::move(child));
    }
  }
}

void RuleTree::Resort(const Rule& rule) { Resort(rule, roots_); }

void RuleTree::Resort(const Rule& rule, SiblingList& list) {
  bool mine = false;
  for (const auto& node : list.nodes_) {
    if (node->rule == &rule) {
      node->key = SortKey(rule);
      mine = true;
    }
    Resort(rule, node->children);
  }
  if (!mine) return;
  std::stable_sort(list.nodes_.begin(), list.nodes_.end(),
                   [](const auto& a, const auto& b) { return ComesBefore(*a, *b); });
}

void RuleTree::Finish() {
  next_number_ = 0;
  Finish(roots_);
}

void RuleTree::Finish(SiblingList& list) {
  list.first_ = next_number_;
  next_number_ += list.nodes_.size();
  for (const auto& node : list.nodes_) Finish(node->children);
}

}  // namespace ospatrol::analysisd
