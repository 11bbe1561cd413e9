// The tree in which rules are tried (rules-and-decoders 4.5).
//
// Nodes refer to rules; a rule with several parents has several nodes, and children hang on nodes.
// Siblings are tried by level, highest first, level 0 before all others, equal levels in load
// order. Finish() numbers all nodes, siblings side by side in that order; by these numbers
// candidate_index.h tells which of them an event can reach, and rule_walk.h tries them.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "analysisd/rule.h"
#include "pattern/pattern.h"

namespace ospatrol::analysisd {

struct RuleNode;

class SiblingList {
 public:
  SiblingList();
  ~SiblingList();
  SiblingList(SiblingList&&) noexcept;
  SiblingList& operator=(SiblingList&&) noexcept;

  // In the order in which they are tried.
  const std::vector<std::unique_ptr<RuleNode>>& all() const { return nodes_; }
  bool empty() const { return nodes_.empty(); }

  // Number of the first node of all(); the others follow. REQUIRES: the tree is finished.
  size_t first() const { return first_; }

 private:
  friend class RuleTree;
  void Insert(std::unique_ptr<RuleNode> node);

  std::vector<std::unique_ptr<RuleNode>> nodes_;
  size_t first_ = 0;
};

struct RuleNode {
  const Rule* rule = nullptr;
  int key = 0;  // siblings with higher keys are tried first; of the rule's level when it was placed
  size_t order = 0;  // of loading
  SiblingList children;
};

class RuleTree {
 public:
  // More nodes than this are refused: <if_level> and <if_group> can double the tree with each rule.
  static constexpr size_t kMaxNodes = size_t{1} << 18;

  const SiblingList& roots() const { return roots_; }

  // Each gives the number of nodes that the rule got; 0 = no place was found.
  size_t AddRoot(const Rule& rule);
  size_t AddBelowCategory(const Rule& rule, Category category);
  // Nodes of rule `parent` that the reference's walk finds: a hit ends the search among its
  // siblings, so nodes below the siblings behind it are missed, and so are those below the hit
  // itself.
  size_t AddBelowRule(const Rule& rule, int parent);
  size_t AddBelowLevel(const Rule& rule, int level);
  size_t AddBelowGroup(const Rule& rule, const pattern::Pattern& group);

  // Takes all nodes of a rule out of the tree, with what hangs on them; the Add... calls for that
  // rule until the next Settle() put copies of them (children included) in the new places.
  void Uproot(const Rule& rule);
  void Settle() { uprooted_.reset(); }

  // Puts the nodes of a rule in their place again after its level changed.
  void Resort(const Rule& rule);

  // Numbers the nodes from 0. No change is possible afterwards.
  void Finish();

  bool IsTooLarge() const { return node_count_ > kMaxNodes; }
  size_t node_count() const { return node_count_; }

 private:
  using Nodes = std::unordered_map<int, std::vector<RuleNode*>>;

  template <typename Wanted>
  size_t AddEverywhere(const Rule& rule, const Wanted& wanted);
  size_t AddBelowRule(const Rule& rule, int parent, SiblingList& list);
  // By the ids of their rules: no walk is needed to find those of one rule, or to look at each
  // rule.
  Nodes& AllNodes();
  void Index(const SiblingList& list);
  void Hang(const Rule& rule, SiblingList& list);
  std::unique_ptr<RuleNode> MakeNode(const Rule& rule);
  std::unique_ptr<RuleNode> Clone(const RuleNode& node);
  void Uproot(const Rule& rule, SiblingList& list);
  void Resort(const Rule& rule, SiblingList& list);
  void Finish(SiblingList& list);

  SiblingList roots_;
  std::unique_ptr<RuleNode> uprooted_;
  size_t node_count_ = 0;
  size_t next_order_ = 0;
  size_t next_number_ = 0;
  Nodes nodes_of_;
  bool indexed_ = true;  // nodes_of_ is complete
};

}  // namespace ospatrol::analysisd
