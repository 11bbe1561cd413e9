#include "logtest/mutate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <utility>

#include "analysisd/list_set.h"
#include "analysisd/rule_compiler.h"
#include "analysisd/rule_draft.h"
#include "analysisd/rule_set.h"
#include "base/text.h"
#include "logtest/coverage.h"
#include "logtest/elements.h"

namespace ospatrol::logtest {
namespace {

using analysisd::Rule;
using config::Element;

// Where a rule is written.
struct Place {
  size_t document, group, rule;
};

std::optional<Place> PlaceOf(const std::vector<config::Document>& documents,
                             const Element* element) {
  for (size_t d = 0; d < documents.size(); ++d) {
    for (size_t g = 0; g < documents[d].roots.size(); ++g) {
      const std::vector<Element>& rules = documents[d].roots[g].children;
      for (size_t r = 0; r < rules.size(); ++r) {
        if (&rules[r] == element) return Place{d, g, r};
      }
    }
  }
  return std::nullopt;
}

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

Element Without(const Element& rule, const std::vector<const Element*>& dropped) {
  Element copy = rule;
  for (size_t c = rule.children.size(); c-- > 0;) {
    if (std::ranges::find(dropped, &rule.children[c]) == dropped.end()) continue;
    copy.children.erase(copy.children.begin() + static_cast<std::ptrdiff_t>(c));
  }
  return copy;
}

// Puts a mutant in the place of a rule for as long as it lives. The index of candidates still knows
// the rule as it was, so cases have to be traced: then every rule is tried.
class Exchange {
 public:
  Exchange(Rule& rule, Rule mutant) : rule_(rule), other_(std::move(mutant)) {
    other_.index = rule_.index;
    other_.category = rule_.category;  // of its parents
    std::swap(rule_, other_);
  }
  ~Exchange() { std::swap(rule_, other_); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

 private:
  Rule& rule_;
  Rule other_;
};

class Silent : public analysisd::Tracer {
 public:
  void Trying(const Rule&) override {}
  void Failed(const Rule&, std::string_view, std::string_view) override {}
  void Matched(const Rule&, bool) override {}
};

class Mutation {
 public:
  // `own` is used by nobody else.
  Mutation(const Sources& sources, std::shared_ptr<const analysisd::Ruleset> own,
           Documents documents)
      : sources_(sources), ruleset_(std::move(own)), documents_(std::move(documents)) {}

  void AddCases(std::vector<TestCase> cases) {
    for (TestCase& test : cases) {
      if (!RunCase(test, ruleset_).passed) {
        fmt::print(stderr, "{}:{}: [{}] {}: fails already, left out\n", test.file, test.line,
                   test.section, test.key);
        continue;
      }
      coverage_.StartCase(cases_.size());
      RunCase(test, ruleset_, &coverage_);
      cases_.push_back(std::move(test));
    }
  }

  MutationReport Run() {
    const auto& rules = ruleset_->rules().rules();
    size_t done = 0;
    for (const auto& rule : rules) {
      One(*rule);
      if (++done % kRulesPerReport == 0 || done == rules.size()) {
        fmt::print(stderr, "{} of {} rules, {} mutants\n", done, rules.size(), report_.mutants);
      }
    }
    return std::move(report_);
  }

 private:
  static constexpr size_t kRulesPerReport = 200;

  void One(Rule& rule) {
    const Element* element = ElementOf(documents_, rule);
    const auto place = PlaceOf(documents_.rules, element);
    if (!place) return;  // made up by the loader
    LooseRule loose{rule.file, rule.line, rule.id, {}, false};
    size_t count = 0;
    for (const Mutant& mutant : MutantsOf(*element)) {
      const std::optional<bool> noticed = IsNoticed(rule, *place, mutant);
      if (!noticed) {
        fmt::print(stderr, "{}:{}: rule {}: does not load without <{}>, left out\n", rule.file,
                   rule.line, rule.id, mutant.name);
        continue;
      }
      ++count;
      if (!*noticed) loose.missed.push_back(mutant.name);
    }
    report_.mutants += count;
    report_.noticed += count - loose.missed.size();
    loose.untested = loose.missed.size() == count;
    if (!loose.missed.empty()) report_.rules.push_back(std::move(loose));
  }

  // Nothing when the rule does not load without the condition.
  std::optional<bool> IsNoticed(Rule& rule, const Place& place, const Mutant& mutant) {
    const std::vector<size_t> cases = CasesFor(rule, mutant);
    if (cases.empty()) return false;
    const Element& group = documents_.rules[place.document].roots[place.group];
    Element element = Without(group.children[place.rule], mutant.dropped);
    if (DependsOnOthers(rule, element)) return IsNoticedAfterLoad(place, std::move(element), cases);

    config::Problems problems;
    analysisd::RuleScope scope(ruleset_->decoders(), ruleset_->lists(), problems, rule.file);
    const auto draft = analysisd::ReadRule(element, group.attributes.front().value, scope);
    if (!draft) return std::nullopt;
    Rule changed = analysisd::CompileRule(*draft, ruleset_->options(), scope);
    if (problems.HasErrors()) return std::nullopt;
    const Exchange exchange(rule, std::move(changed));
    Silent tracer;
    return AnyFails(cases, ruleset_, &tracer);
  }

  // All that can change; those that name the rule first, because they are likely to.
  std::vector<size_t> CasesFor(const Rule& rule, const Mutant& mutant) const {
    std::vector<size_t> cases =
        mutant.remembers ? coverage_.Tried(rule.id) : coverage_.FailedAt(rule.id, mutant.name);
    const std::string id = std::to_string(rule.id);
    std::ranges::stable_partition(
        cases, [&](size_t number) { return cases_[number].expected.rule == id; });
    return cases;
  }

  // On the rule that it overwrites; and with check_diff nothing is counted, so that without it the
  // rule is one more that the rest of the set knows as counting.
  static bool DependsOnOthers(const Rule& rule, const Element& element) {
    return element.FindAttributeIgnoringCase("overwrite") != nullptr ||
           (rule.check_diff && rule.correlation != nullptr);
  }

  std::optional<bool> IsNoticedAfterLoad(const Place& place, Element element,
                                         const std::vector<size_t>& cases) const {
    std::vector<config::Document> documents = documents_.rules;
    documents[place.document].roots[place.group].children[place.rule] = std::move(element);
    config::Problems problems;
    const auto changed = sources_.LoadWith(std::move(documents), problems);
    if (changed == nullptr) return std::nullopt;
    return AnyFails(cases, changed, nullptr);
  }

  bool AnyFails(const std::vector<size_t>& cases,
                const std::shared_ptr<const analysisd::Ruleset>& ruleset,
                analysisd::Tracer* tracer) const {
    return std::ranges::any_of(
        cases, [&](size_t number) { return !RunCase(cases_[number], ruleset, tracer).passed; });
  }

  const Sources& sources_;
  const std::shared_ptr<const analysisd::Ruleset> ruleset_;
  const Documents documents_;
  std::vector<TestCase> cases_;
  Coverage coverage_;
  MutationReport report_;
};

void Print(const MutationReport& report) {
  size_t untested = 0;
  for (const LooseRule& rule : report.rules) {
    std::string missed;
    for (const std::string& name : rule.missed) {
      missed += fmt::format("{}<{}>", missed.empty() ? "" : " or ", name);
    }
    fmt::print("{}:{}: rule {}: no test notices when {} is dropped{}\n", rule.file, rule.line,
               rule.id, missed, rule.untested ? "" : "; its other conditions are held");
    untested += rule.untested ? 1 : 0;
  }
  fmt::print(
      "{} mutants, {} noticed, {} unnoticed in {} rules, {} rules without a test that notices\n",
      report.mutants, report.noticed, report.mutants - report.noticed, report.rules.size(),
      untested);
}

}  // namespace

MutationReport Mutate(const Sources& sources, std::vector<TestCase> cases) {
  Documents documents = sources.ReadDocuments();
  config::Problems told_before;
  auto own = sources.LoadWith(documents.rules, told_before);
  Mutation mutation(sources, std::move(own), std::move(documents));
  mutation.AddCases(std::move(cases));
  return mutation.Run();
}

int RunMutants(const Options& options, const Sources& sources) {
  config::Problems problems;
  std::vector<TestCase> cases;
  for (const std::string& file : options.files) {
    auto of_file = ReadTestCases(file, options.classic_ini, problems);
    std::ranges::move(of_file, std::back_inserter(cases));
  }
  for (const config::Problem& problem : problems.all()) fmt::print(stderr, "{}\n", problem.Line());
  if (problems.HasErrors()) return 1;
  Print(Mutate(sources, std::move(cases)));
  return 0;
}

}  // namespace ospatrol::logtest
