// Rules that load and yet are never tried, never final, or ask for what nobody gives.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string>
#include <unordered_map>

#include "analysisd/decoder_set.h"
#include "analysisd/list_set.h"
#include "analysisd/rule_set.h"
#include "base/text.h"
#include "config/show.h"
#include "logtest/elements.h"
#include "logtest/lint_checks.h"
#include "logtest/pattern_facts.h"

namespace ospatrol::logtest {
namespace {

using analysisd::Rule;
using analysisd::RuleNode;

constexpr int kFirstOrdinaryId = 10;  // smaller ones are the roots that categories need

void Warn(const Rule& rule, std::string_view text, std::string remedy, config::Problems& found) {
  found.Warning(0, rule.file, rule.line, fmt::format("rule {}: {}", rule.id, text),
                std::move(remedy));
}

// What a rule asks for, each thing as one text that is equal for equal conditions.
struct Demands {
  std::set<std::string> conditions;
  std::set<std::string> counting;  // of a composite rule
  bool remembers = false;          // asking changes the answer: if_fts, check_diff
};

std::string KeyOf(const WrittenCondition& condition) {
  std::string key = fmt::format("{}\n{}", condition.name(), condition.Text());
  for (const config::Attribute& attribute : condition.elements.back()->attributes) {
    key += fmt::format("\n{}={}", base::ToLower(attribute.name), attribute.value);
  }
  return key;
}

Demands DemandsOf(const Rule& rule, const config::Element& element) {
  Demands demands;
  for (const WrittenCondition& condition : ConditionsOf(element)) {
    const std::string_view name = condition.name();
    demands.remembers |= name == "if_fts" || name == "check_diff";
    demands.conditions.insert(KeyOf(condition));
  }
  if (const std::string* size = element.FindAttribute("maxsize")) {
    demands.conditions.insert("maxsize\n" + *size);
  }
  if (rule.correlation == nullptr) return demands;
  demands.counting.insert(rule.correlation->Describe());
  if (rule.correlation->pattern != nullptr) {
    demands.counting.insert("pattern\n" + rule.correlation->pattern->text());
  }
  demands.counting.insert(fmt::format("{} in {}", rule.frequency, rule.timeframe));
  for (const config::Element& child : element.children) {
    if (IsComparison(child)) demands.counting.insert(base::ToLower(child.name) + child.content);
  }
  return demands;
}

// Whatever `later` takes, `earlier` takes before it.
bool Covers(const Rule& earlier_rule, const Demands& earlier, const Demands& later) {
  if (earlier_rule.noalert || earlier.remembers) return false;
  if (!std::ranges::includes(later.conditions, earlier.conditions)) return false;
  return earlier.counting.empty() ||
         (earlier.counting == later.counting && earlier.conditions == later.conditions);
}

// Goes through the tree and keeps, for each rule, whether one of its nodes can be reached and, if
// none, why not.
class Reach {
 public:
  explicit Reach(const LintInput& input) : input_(input) {
    for (const auto& rule : Rules().rules()) {
      const config::Element* element = ElementOf(input.documents, *rule);
      if (element == nullptr) continue;
      demands_.emplace(rule.get(), DemandsOf(*rule, *element));
      if (NeverHolds(*rule, *element)) never_holds_.insert(rule.get());
    }
    for (const auto& root : Rules().tree().roots().all()) Below(*root, 0, "");
  }

  void Tell(config::Problems& found) const {
    for (const auto& rule : Rules().rules()) {
      const auto known = reached_.find(rule.get());
      if (known == reached_.end() || known->second.empty()) continue;
      Warn(*rule, known->second, "remove it, or change its conditions, level or parent", found);
    }
  }

 private:
  const analysisd::RuleSet& Rules() const { return *rules_; }

  // Cases that loading or another check tells by themselves.
  bool NeverHolds(const Rule& rule, const config::Element& element) const {
    const auto& decoders = input_.ruleset.decoders();
    if (rule.decoder_name_id != 0 && !decoders.IsNameInUse(rule.decoder_name_id)) return true;
    for (const config::Element& child : element.children) {
      if (base::EqualsIgnoreCase(child.name, "list") &&
          input_.ruleset.lists().Find(child.content) == nullptr) {
        return true;
      }
    }
    if (rule.correlation == nullptr || rule.check_diff) return false;
    return rule.level == 0 || !CountsAnything(rule);
  }

  bool CountsAnything(const Rule& rule) const {
    if (rule.correlation->kind == analysisd::Correlation::Kind::kRegex) return true;
    return std::ranges::any_of(Rules().rules(), [&](const auto& counted) {
      const auto counters = Rules().CountersOf(*counted);
      return counted->level > 0 && std::ranges::find(counters, &rule) != counters.end();
    });
  }

  // `decoder`: name id that the rules above ask for, 0 = any. `why`: not empty = `node` cannot be
  // reached.
  void Below(const RuleNode& node, int decoder, const std::string& why) {
    const Rule& parent = *node.rule;
    if (decoder == 0) decoder = parent.decoder_name_id;
    std::string inherited;
    if (!why.empty()) {
      inherited = fmt::format("is never tried: rule {} above it is never reached", parent.id);
    } else if (never_holds_.contains(&parent)) {
      inherited = fmt::format("is never tried: rule {} above it never matches", parent.id);
    }
    std::vector<const Rule*> earlier;
    for (const auto& child : node.children.all()) {
      std::string reason = inherited.empty() ? Reason(*child, decoder, earlier) : inherited;
      Record(*child->rule, reason);
      Below(*child, decoder, reason);
      earlier.push_back(child->rule);
    }
  }

  std::string Reason(const RuleNode& node, int decoder,
                     const std::vector<const Rule*>& earlier) const {
    const Rule& rule = *node.rule;
    if (decoder != 0 && rule.decoder_name_id != 0 && rule.decoder_name_id != decoder) {
      return "never matches: a rule above it asks for another <decoded_as>";
    }
    const auto mine = demands_.find(&rule);
    if (mine == demands_.end()) return {};
    for (const Rule* other : earlier) {
      const auto theirs = demands_.find(other);
      if (theirs == demands_.end() || !Covers(*other, theirs->second, mine->second)) continue;
      // A sibling without any condition is told at load.
      if (theirs->second.conditions.empty() && theirs->second.counting.empty()) {
        return std::string(kTold);
      }
      const bool same = theirs->second.conditions == mine->second.conditions;
      return fmt::format("is never tried: rule {} comes before it and has {}", other->id,
                         same ? "the same conditions" : "only conditions that it has too");
    }
    return {};
  }

  void Record(const Rule& rule, const std::string& reason) {
    const auto [known, first] = reached_.emplace(&rule, reason == kTold ? "" : reason);
    if (!first && reason.empty()) known->second.clear();
  }

  static constexpr std::string_view kTold = "told at load";

  const LintInput& input_;
  const analysisd::RuleSet* rules_ = &input_.ruleset.rules();
  std::unordered_map<const Rule*, Demands> demands_;
  std::set<const Rule*> never_holds_;
  std::unordered_map<const Rule*, std::string> reached_;  // empty: it is
};

void CollectParents(const analysisd::SiblingList& list, std::set<const Rule*>& parents) {
  for (const auto& node : list.all()) {
    if (!node->children.empty()) parents.insert(node->rule);
    CollectParents(node->children, parents);
  }
}

// Fields that decoders, also plugins, keep apart from those that <field> looks at; rules have
// elements of their own for most of them.
bool IsStatic(std::string_view name) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "srcip",   "dstip", "srcport", "dstport", "protocol",   "action", "srcuser",
      "dstuser", "id",    "url",     "data",    "extra_data", "status"};
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace

void FindUnreachableRules(const LintInput& input, config::Problems& found) {
  Reach(input).Tell(found);
}

void FindIdleRules(const LintInput& input, config::Problems& found) {
  std::set<const Rule*> parents;
  CollectParents(input.ruleset.rules().tree().roots(), parents);
  for (const auto& rule : input.ruleset.rules().rules()) {
    if (!rule->noalert || rule->id < kFirstOrdinaryId || parents.contains(rule.get())) continue;
    Warn(*rule, "has noalert and no rule below it: it does nothing",
         "remove noalert or the rule, or hang rules below it", found);
  }
}

void FindUnknownFields(const LintInput& input, config::Problems& found) {
  std::set<std::string> known;
  bool any = false;  // a plugin names fields as events do
  for (const auto& decoder : input.ruleset.decoders().decoders()) {
    any |= decoder->plugin != nullptr;
    for (const auto& entry : decoder->order) known.insert(base::ToLower(entry.dynamic));
  }
  for (const auto& rule : input.ruleset.rules().rules()) {
    const config::Element* element = ElementOf(input.documents, *rule);
    if (element == nullptr) continue;
    for (const config::Element& child : element->children) {
      if (!base::EqualsIgnoreCase(child.name, "field")) continue;
      const std::string* name = child.FindAttribute("name");
      if (name == nullptr || known.contains(base::ToLower(*name))) continue;
      const bool is_static = IsStatic(base::ToLower(*name));
      if (any && !is_static) continue;
      found.Warning(0, rule->file, child.line,
                    fmt::format("rule {}: <field name=\"{}\">: no decoder extracts such a field",
                                rule->id, config::Show(*name)),
                    is_static ? "an element of its own, as <srcip> or <user>, looks at that one"
                              : "a name in the <order> of a decoder");
    }
  }
}

}  // namespace ospatrol::logtest
