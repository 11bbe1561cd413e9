#include "logtest/mutate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysisd/condition_registry.h"
#include "analysisd/rule_set.h"
#include "base/text.h"
#include "logtest/elements.h"
#include "logtest/explain.h"
#include "logtest/rule_tests.h"

namespace ospatrol::logtest {
namespace {

using analysisd::Rule;
using config::Element;

// A rule without one of its conditions.
struct Mutant {
  std::string name;                     // of the condition
  std::vector<const Element*> dropped;  // children of the rule
  bool remembers = false;               // more than the cases that failed at it can change
};

std::vector<Mutant> MutantsOf(const Element& rule) {
  std::vector<Mutant> mutants;
  for (const WrittenCondition& condition : ConditionsOf(rule)) {
    const std::string_view name = condition.spec->element;
    mutants.push_back({std::string(condition.name()), condition.elements,
                       name == "if_fts" || name == "check_diff"});
  }
  for (const Element& child : rule.children) {
    if (IsComparison(child)) mutants.push_back({base::ToLower(child.name), {&child}, true});
  }
  return mutants;
}

// All rule files without `dropped`.
std::vector<config::Document> Without(const std::vector<config::Document>& rules,
                                      const std::vector<const Element*>& dropped) {
  std::vector<config::Document> copy = rules;
  for (size_t d = 0; d < rules.size(); ++d) {
    for (size_t g = 0; g < rules[d].roots.size(); ++g) {
      const auto& group = rules[d].roots[g].children;
      for (size_t r = 0; r < group.size(); ++r) {
        const auto& children = group[r].children;
        if (children.empty() || dropped.front() < children.data() ||
            dropped.front() >= children.data() + children.size()) {
          continue;
        }
        auto& kept = copy[d].roots[g].children[r].children;
        for (size_t c = children.size(); c-- > 0;) {
          if (std::ranges::find(dropped, &children[c]) == dropped.end()) continue;
          kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(c));
        }
        return copy;
      }
    }
  }
  return copy;
}

// For each rule the cases in which it was tried, and in which it failed at a condition.
class Coverage : public analysisd::Tracer {
 public:
  void StartCase(size_t number) { case_ = number; }

  void Trying(const Rule& rule) override { Add(tried_[rule.id]); }
  void Failed(const Rule& rule, std::string_view condition, std::string_view) override {
    const auto* spec = analysisd::FindCondition(condition);
    if (spec != nullptr) Add(failed_[{rule.id, std::string(spec->element)}]);
  }
  void Matched(const Rule&, bool) override {}

  const std::vector<size_t>& CasesFor(const Rule& rule, const Mutant& mutant) {
    if (mutant.remembers) return tried_[rule.id];
    return failed_[{rule.id, std::string(analysisd::FindCondition(mutant.name)->element)}];
  }

 private:
  void Add(std::vector<size_t>& cases) const {
    if (cases.empty() || cases.back() != case_) cases.push_back(case_);
  }

  size_t case_ = 0;
  std::unordered_map<int, std::vector<size_t>> tried_;
  std::map<std::pair<int, std::string>, std::vector<size_t>> failed_;
};

class Mutation {
 public:
  Mutation(const Sources& sources, std::shared_ptr<const analysisd::Ruleset> ruleset)
      : sources_(sources), ruleset_(std::move(ruleset)), documents_(sources.ReadDocuments()) {}

  // Cases that fail as it is cannot notice anything.
  void AddCases(std::vector<TestCase> cases) {
    for (TestCase& test : cases) {
      if (RunCase(test, ruleset_).passed) {
        coverage_.StartCase(cases_.size());
        RunCase(test, ruleset_, &coverage_);
        cases_.push_back(std::move(test));
        continue;
      }
      fmt::print(stderr, "{}:{}: [{}] {}: fails already, left out\n", test.file, test.line,
                 test.section, test.key);
    }
  }

  void Run() {
    const auto& rules = ruleset_->rules().rules();
    size_t done = 0;
    for (const auto& rule : rules) {
      const Element* element = ElementOf(documents_, *rule);
      if (element != nullptr) One(*rule, *element);
      if (++done % kRulesPerReport == 0 || done == rules.size()) {
        fmt::print(stderr, "{} of {} rules, {} mutants\n", done, rules.size(), mutants_);
      }
    }
    fmt::print("{} mutants, {} noticed, {} rules without a test that notices\n", mutants_, noticed_,
               silent_rules_);
  }

 private:
  static constexpr size_t kRulesPerReport = 50;

  void One(const Rule& rule, const Element& element) {
    std::string missed;
    size_t missed_count = 0;
    size_t count = 0;
    for (const Mutant& mutant : MutantsOf(element)) {
      const std::optional<bool> noticed = IsNoticed(rule, mutant);
      if (!noticed) continue;
      ++count;
      if (*noticed) continue;
      ++missed_count;
      missed += fmt::format("{}<{}>", missed.empty() ? "" : " or ", mutant.name);
    }
    mutants_ += count;
    noticed_ += count - missed_count;
    if (missed_count == 0) return;
    const bool silent = missed_count == count;
    silent_rules_ += silent ? 1 : 0;
    fmt::print("{}:{}: rule {}: no test notices when {} is dropped{}\n", rule.file, rule.line,
               rule.id, missed, silent ? "" : "; its other conditions are held");
  }

  // Nothing when the rule does not load without the condition.
  std::optional<bool> IsNoticed(const Rule& rule, const Mutant& mutant) {
    const std::vector<size_t>& cases = coverage_.CasesFor(rule, mutant);
    if (cases.empty()) return false;
    config::Problems problems;
    const auto mutated = sources_.LoadWith(Without(documents_.rules, mutant.dropped), problems);
    if (mutated == nullptr) {
      fmt::print(stderr, "{}:{}: rule {}: does not load without <{}>, left out\n", rule.file,
                 rule.line, rule.id, mutant.name);
      return std::nullopt;
    }
    return std::ranges::any_of(
        cases, [&](size_t number) { return !RunCase(cases_[number], mutated).passed; });
  }

  const Sources& sources_;
  std::shared_ptr<const analysisd::Ruleset> ruleset_;
  const Documents documents_;
  std::vector<TestCase> cases_;
  Coverage coverage_;
  size_t mutants_ = 0, noticed_ = 0, silent_rules_ = 0;
};

}  // namespace

int RunMutants(const Options& options, const Sources& sources,
               const std::shared_ptr<const analysisd::Ruleset>& ruleset) {
  config::Problems problems;
  Mutation mutation(sources, ruleset);
  for (const std::string& file : options.files) {
    mutation.AddCases(ReadTestCases(file, options.classic_ini, problems));
  }
  for (const config::Problem& problem : problems.all()) fmt::print(stderr, "{}\n", problem.Line());
  if (problems.HasErrors()) return 1;
  mutation.Run();
  return 0;
}

}  // namespace ospatrol::logtest
