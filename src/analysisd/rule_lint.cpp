#include "analysisd/rule_lint.h"

#include <fmt/format.h>

#include <string>
#include <unordered_set>
#include <vector>

#include "log/messages.h"

namespace ospatrol::analysisd {
namespace {

class Lint {
 public:
  Lint(const RuleSet& rules, const EngineOptions& options, config::Problems& problems)
      : rules_(rules), options_(options), problems_(problems) {}

  void Run() {
    FindCounted();
    for (const auto& rule : rules_.rules()) {
      if (rule->correlation != nullptr && !rule->check_diff) CheckCounting(*rule);
    }
    CheckShadows(rules_.tree().roots(), /*roots=*/true);
  }

 private:
  void Warn(const Rule& rule, const std::string& text, std::string remedy = {}) {
    problems_.Warning(msg::kRuleDoubtful.id, rule.file, rule.line,
                      fmt::format("rule {}: {}", rule.id, text), std::move(remedy));
  }

  void FindCounted() {
    counts_.resize(rules_.rules().size());
    counts_recorded_.resize(rules_.rules().size());
    for (const auto& counted : rules_.rules()) {
      for (const Rule* rule : rules_.CountersOf(*counted)) {
        counts_[rule->index] = true;
        if (counted->level > 0) counts_recorded_[rule->index] = true;
      }
    }
  }

  void CheckCounting(const Rule& rule) {
    if (rule.level == 0) {
      Warn(rule, "counts events at level 0, at which all of them count as used: it never fires",
           "give it a level of 1 or more");
    }
    const Correlation& correlation = *rule.correlation;
    if (correlation.kind == Correlation::Kind::kSid &&
        rule.frequency > options_.sid_prev_matched_max - 1) {
      Warn(rule,
           fmt::format("frequency {} can never be reached: {} events are remembered",
                       rule.frequency, options_.sid_prev_matched_max),
           "raise analysisd.sid_prev_matched_max");
    }
    if (correlation.kind == Correlation::Kind::kRegex) return;
    if (!counts_[rule.index]) {
      Warn(rule, fmt::format("<{}> finds no rule that is loaded before: nothing is ever counted",
                             correlation.Describe()));
    } else if (!counts_recorded_[rule.index]) {
      Warn(rule,
           fmt::format("<{}> counts rules of level 0 only, which are never recorded",
                       correlation.Describe()),
           "give the counted rule a level of 1 or more");
    }
  }

  static bool TakesAll(const Rule& rule) {
    return !rule.noalert && rule.conditions.empty() && rule.correlation == nullptr;
  }

  void CheckShadows(const SiblingList& list, bool roots) {
    const Rule* shadow = nullptr;
    for (const auto& node : list.all()) {
      if (shadow != nullptr && reported_.insert(node->rule).second) {
        Warn(*node->rule,
             fmt::format("is never tried: rule {} has no condition and comes before it",
                         shadow->id));
      }
      // A root also has the condition that the categories are equal.
      if (!roots && shadow == nullptr && TakesAll(*node->rule)) shadow = node->rule;
      CheckShadows(node->children, false);
    }
  }

  const RuleSet& rules_;
  const EngineOptions& options_;
  config::Problems& problems_;
  std::vector<bool> counts_, counts_recorded_;  // by Rule::index
  std::unordered_set<const Rule*> reported_;
};

}  // namespace

void WarnOfRules(const RuleSet& rules, const EngineOptions& options, config::Problems& problems) {
  Lint(rules, options, problems).Run();
}

}  // namespace ospatrol::analysisd
