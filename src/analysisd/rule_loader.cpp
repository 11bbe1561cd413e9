#include "analysisd/rule_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <unordered_map>
#include <utility>

#include "analysisd/condition_registry.h"
#include "analysisd/rule_compiler.h"
#include "analysisd/rule_lint.h"
#include "base/text.h"
#include "config/rule_files.h"
#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

using config::Element;

constexpr int kFirstOrdinaryId = 10;
constexpr int kFirstReservedId = 11;
constexpr int kLastReservedId = 15;

// The roots of the tree that rules/rules_config.xml brings (4.5).
struct Template {
  int id;
  Category category;
  std::string_view name;
};
constexpr std::array kTemplates{
    Template{1, Category::kSyslog, "syslog"}, Template{2, Category::kFirewall, "firewall"},
    Template{3, Category::kIds, "ids"},       Template{4, Category::kWebLog, "web-log"},
    Template{5, Category::kSquid, "squid"},   Template{6, Category::kWindows, "windows"},
    Template{7, Category::kOssec, "ossec"},
};

class Loader {
 public:
  Loader(const EngineOptions& options, const DecoderSet& decoders, const ListSet& lists,
         config::Problems& problems)
      : options_(options), decoders_(decoders), lists_(lists), problems_(problems) {}

  void AddFile(config::Document document) {
    const size_t errors = problems_.error_count();
    config::ExpandVariables(document, problems_);
    RuleScope scope(decoders_, lists_, problems_, document.file);
    for (const Element& root : document.roots) AddGroup(root, scope);
    CloseFile(document.file, errors);
  }

  // A file with an error ends with the line that names it as a whole.
  void CloseFile(const std::string& file, size_t errors_before) {
    if (problems_.error_count() == errors_before) return;
    problems_.Error(msg::kRulesFile.id, file, 0,
                    fmt::format("Error loading the rules: '{}'.", file));
  }

  std::unique_ptr<RuleSet> Finish() {
    if (!told_of_size_) tree_.Finish();
    std::vector<std::unique_ptr<Rule>> rules;
    std::vector<size_t> counted_from;
    for (Slot& slot : slots_) {
      rules.push_back(std::move(slot.rule));
      counted_from.push_back(slot.counted_from);
    }
    auto set = std::make_unique<RuleSet>(std::move(rules), std::move(tree_), counted_from);
    if (!problems_.HasErrors()) WarnOfRules(*set, options_, problems_);
    return set;
  }

 private:
  struct Slot {
    RuleDraft draft;
    Parents parents;
    std::unique_ptr<Rule> rule;
    size_t counted_from;  // rules loaded before it, or before what overwrote it
  };

  void AddGroup(const Element& root, RuleScope& scope) {
    scope.SetRule(0, root.line);
    if (!base::EqualsIgnoreCase(root.name, "group")) {
      scope.Error(msg::kInvalidElement.id, 0,
                  fmt::format("<{}> stands at the top level", base::EscapeControls(root.name)),
                  "expected <group name=\"...\"> or <var name=\"...\">");
      return;
    }
    if (root.attributes.size() != 1 || !base::EqualsIgnoreCase(root.attributes[0].name, "name")) {
      scope.Error(msg::kInvalidAttribute.id, 0, "<group> has exactly one attribute, 'name'",
                  "expected <group name=\"syslog,\">");
      return;
    }
    if (root.children.empty()) {
      scope.Error(msg::kRulesFile.id, 0, "an empty <group>", "expected at least one <rule>");
      return;
    }
    for (const Element& child : root.children) {
      if (base::EqualsIgnoreCase(child.name, "rule")) {
        AddRule(child, root.attributes[0].value, scope);
        continue;
      }
      scope.SetRule(0, child.line);
      scope.Error(msg::kInvalidElement.id, 0,
                  fmt::format("<{}> stands in a <group>", base::EscapeControls(child.name)),
                  "expected <rule>");
    }
  }

  void AddRule(const Element& element, std::string_view group, RuleScope& scope) {
    const size_t errors = scope.error_count();
    std::optional<RuleDraft> draft = ReadRule(element, group, scope);
    if (!draft) return MarkBroken(element);
    Rule rule = CompileRule(*draft, options_, scope);
    std::optional<Parents> parents = ReadParents(*draft, scope);
    if (scope.error_count() != errors || !parents) return MarkBroken(element);
    // In an OSSEC a template that is overwritten becomes a second root beside the first.
    const bool second_root =
        draft->overwrite && options_.overwrite_compat && rule.id < kFirstOrdinaryId;
    if (draft->overwrite && !second_root) {
      return ReplaceRule(std::move(*draft), std::move(*parents), scope);
    }

    if (const auto earlier = by_id_.find(rule.id); earlier != by_id_.end() && !second_root) {
      const Rule& first = *slots_[earlier->second].rule;
      scope.Error(msg::kRulesFile.id, 0,
                  fmt::format("the id is taken by the rule at {}:{}", first.file, first.line),
                  "expected another id, or overwrite=\"yes\"");
      return;
    }
    if (rule.id >= kFirstReservedId && rule.id <= kLastReservedId) {
      scope.Warning(0, "ids 11 to 15 are reserved for what the engine tells itself");
    }
    auto owned = std::make_unique<Rule>(std::move(rule));
    Rule& kept = *owned;
    by_id_.emplace(kept.id, slots_.size());
    slots_.push_back({std::move(*draft), std::move(*parents), std::move(owned), slots_.size()});
    Place(kept, slots_.back().parents, scope);
  }

  // Rules that name a rule with an error are not blamed for it.
  void MarkBroken(const Element& element) {
    for (const config::Attribute& attribute : element.attributes) {
      if (!base::EqualsIgnoreCase(attribute.name, "id")) continue;
      const auto id = base::ParseNumber<int>(std::string_view(attribute.value).substr(0, 6));
      if (id) broken_.push_back(*id);
    }
  }

  bool IsBroken(int id) const {
    return std::find(broken_.begin(), broken_.end(), id) != broken_.end();
  }

  // --- the tree ---

  void Place(Rule& rule, const Parents& parents, RuleScope& scope) {
    if (rule.id < kFirstOrdinaryId) {
      tree_.AddRoot(rule);
    } else if (!parents.sids.empty()) {
      PlaceBelowRules(rule, parents, scope);
    } else if (parents.level) {
      if (tree_.AddBelowLevel(rule, *parents.level) == 0) WarnOfNoPlace(parents, "level", scope);
    } else if (parents.group_pattern != nullptr) {
      if (tree_.AddBelowGroup(rule, *parents.group_pattern) == 0) {
        WarnOfNoPlace(parents, "group", scope);
      }
    } else {
      PlaceBelowCategory(rule, scope);
    }
    if (tree_.IsTooLarge() && !told_of_size_) {
      told_of_size_ = true;
      scope.Error(msg::kRulesFile.id, 0,
                  fmt::format("the tree of rules grows beyond {} nodes", RuleTree::kMaxNodes),
                  "expected fewer <if_level> and <if_group>: each hangs a rule below many others");
    }
  }

  void PlaceBelowRules(Rule& rule, const Parents& parents, RuleScope& scope) {
    for (const int parent : parents.sids) {
      const auto known = by_id_.find(parent);
      if (known != by_id_.end() && tree_.AddBelowRule(rule, parent) > 0) {
        rule.category = slots_[known->second].rule->category;
        continue;
      }
      if (IsBroken(parent)) continue;
      scope.Error(msg::kRulesFile.id, parents.line,
                  fmt::format("<if_sid> names rule {}, which does not exist", parent),
                  "check the id or the order of <include>: only rules loaded before are found");
    }
  }

  void WarnOfNoPlace(const Parents& parents, std::string_view kind, RuleScope& scope) {
    scope.Warning(
        parents.line,
        fmt::format("no rule loaded before has such a {}: the rule is never tried", kind));
  }

  void PlaceBelowCategory(Rule& rule, RuleScope& scope) {
    if (tree_.AddBelowCategory(rule, rule.category) > 0) return;
    for (const Template& wanted : kTemplates) {
      if (wanted.category != rule.category) continue;
      if (by_id_.contains(wanted.id)) break;
      AddTemplate(wanted, scope);
      tree_.AddBelowCategory(rule, rule.category);
      return;
    }
    scope.Error(msg::kRulesFile.id, 0, "no rule with an id below 10 has this category",
                "load rules_config.xml first");
  }

  void AddTemplate(const Template& wanted, RuleScope& scope) {
    scope.Warning(0,
                  fmt::format("no rule {} for category '{}' is loaded; one is made up", wanted.id,
                              wanted.name),
                  "load rules_config.xml first");
    auto made = std::make_unique<Rule>();
    made->id = wanted.id;
    made->noalert = true;
    made->category = wanted.category;
    made->group = wanted.name;
    made->description = fmt::format("Generic template for all {} rules.", wanted.name);
    made->file = scope.file();
    Rule& kept = *made;
    by_id_.emplace(kept.id, slots_.size());
    slots_.push_back({RuleDraft(), Parents(), std::move(made), slots_.size()});
    slots_.back().draft.id = wanted.id;
    tree_.AddRoot(kept);
  }

  // --- overwrite="yes" (4.8) ---

  void ReplaceRule(RuleDraft draft, Parents parents, RuleScope& scope) {
    const auto known = by_id_.find(draft.id);
    if (known == by_id_.end()) {
      if (IsBroken(draft.id)) return;
      scope.Error(msg::kRulesFile.id, 0,
                  "overwrite=\"yes\", but no rule of that id is loaded before",
                  "check the id or the order of <include>");
      return;
    }
    Slot& slot = slots_[known->second];
    if (!options_.overwrite_compat) WarnOfDifference(slot.draft, draft, scope);
    draft = Overwrite(slot.draft, std::move(draft), options_.overwrite_compat);
    Rule replacement = CompileRule(draft, options_, scope);
    Rule& rule = *slot.rule;
    const bool same_sorting =
        rule.level == replacement.level && rule.accurate == replacement.accurate;
    if (parents.IsEmpty() || options_.overwrite_compat) replacement.category = rule.category;
    rule = std::move(replacement);
    slot.draft = std::move(draft);
    if (options_.overwrite_compat) return;

    slot.counted_from = std::max(slot.counted_from, slots_.size());
    if (rule.id >= kFirstOrdinaryId && !parents.IsEmpty() && !parents.SamePlace(slot.parents)) {
      Move(slot, std::move(parents), scope);
    } else if (!same_sorting) {
      tree_.Resort(rule);
    }
  }

  void Move(Slot& slot, Parents parents, RuleScope& scope) {
    problems_.Info(msg::kRuleReplaced.id, scope.file(), scope.line(),
                   fmt::format("rule {}: moved below the rules that it now names; OSSEC leaves an "
                               "overwritten rule in its place",
                               slot.rule->id));
    tree_.Uproot(*slot.rule);
    slot.parents = std::move(parents);
    Place(*slot.rule, slot.parents, scope);
    tree_.Settle();
  }

  static bool HasExtra(const RuleDraft& draft, const Element& wanted) {
    return std::any_of(draft.conditions.begin(), draft.conditions.end(), [&](const Element& e) {
      return base::EqualsIgnoreCase(e.name, wanted.name);
    });
  }

  // OSSEC would keep these conditions of the old rule.
  void WarnOfDifference(const RuleDraft& original, const RuleDraft& replacement, RuleScope& scope) {
    for (const Element& element : original.conditions) {
      const ConditionSpec* spec = FindCondition(element.name);
      const bool kept_there =
          spec->survives_overwrite || base::EqualsIgnoreCase(spec->twin, element.name);
      if (!kept_there || HasExtra(replacement, element)) continue;
      problems_.Info(msg::kRuleReplaced.id, scope.file(), scope.line(),
                     fmt::format("rule {}: replaced as a whole; OSSEC would keep <{}> of the rule "
                                 "at {}:{} (analysisd.overwrite_compat)",
                                 original.id, element.name, original.file, element.line));
      return;
    }
  }

  const EngineOptions& options_;
  const DecoderSet& decoders_;
  const ListSet& lists_;
  config::Problems& problems_;

  std::deque<Slot> slots_;  // large, so they stay where they are
  std::unordered_map<int, size_t> by_id_;
  std::vector<int> broken_;
  RuleTree tree_;
  bool told_of_size_ = false;
};

}  // namespace

std::unique_ptr<RuleSet> BuildRules(std::vector<config::Document> documents,
                                    const EngineOptions& options, const DecoderSet& decoders,
                                    const ListSet& lists, config::Problems& problems) {
  Loader loader(options, decoders, lists, problems);
  for (config::Document& document : documents) loader.AddFile(std::move(document));
  return loader.Finish();
}

std::unique_ptr<RuleSet> LoadRules(const Home& home, const config::Configuration& configuration,
                                   const EngineOptions& options, const DecoderSet& decoders,
                                   const ListSet& lists, config::Problems& problems) {
  Loader loader(options, decoders, lists, problems);
  for (const config::RulesSection::File& file :
       config::ExpandRuleFiles(home, configuration.rules, config::RuleFileKind::kRules, problems)) {
    const size_t errors = problems.error_count();
    config::Document document = config::ReadRuleFile(home, file, problems);
    if (problems.error_count() != errors) continue;
    loader.AddFile(std::move(document));
  }
  return loader.Finish();
}

}  // namespace ospatrol::analysisd
