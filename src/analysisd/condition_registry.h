// The one table of conditions: element name -> factory. The order of the table is the order of
// evaluation (4.6), which is visible, because first-time-seen and check_diff store what they are
// asked about.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "analysisd/condition.h"
#include "analysisd/rule_draft.h"
#include "config/dialect.h"
#include "pattern/pattern.h"

namespace ospatrol::analysisd {

struct ConditionSpec;

// What a factory is given: the elements of one rule that belong to one row, in file order, never
// empty.
struct ConditionInput {
  const ConditionSpec& spec;
  bool pcre2;  // the elements are those of the twin
  std::span<const config::Element* const> elements;
  RuleScope& scope;

  std::string_view name() const;  // of the element as the table has it
  const config::Element& last() const { return *elements.back(); }
  std::string Joined() const;
  // Tells an error of the last element: "rule 5: <match>: `text`".
  void Error(int id, const std::string& text, std::string remedy = {}) const;
  void Warning(const std::string& text, std::string remedy = {}) const;
};

// nullptr after an error, which was told to the scope.
using ConditionFactory = std::unique_ptr<const Condition> (*)(const ConditionInput& input);

enum class Repetition {
  kTogether,  // all elements make one condition (joined text, ordered list)
  kLast,      // the last one counts
  kEach,      // each one is a condition of its own
};

struct ConditionSpec {
  std::string_view element;
  std::string_view twin;  // the same on PCRE2; empty = none
  Repetition repetition;
  ConditionFactory make;
  bool survives_overwrite;  // analysisd.overwrite_compat: the old rule's stays (4.8)

  // Conditions on one text of the event.
  std::string_view (*read)(const Event& event) = nullptr;
  pattern::Language language = pattern::Language::kOsMatch;
  // Where that text stands; nothing when it may come from elsewhere than the message.
  std::optional<RequiredTexts::Source> source = {};
  bool exact = false;  // compared as a whole, case matters, unless `type` says otherwise

  std::vector<std::string_view> attributes = {};
  bool strict_attributes = false;  // any other one is an error: see TellUnknownAttribute
};

std::span<const ConditionSpec> ConditionTable();

// Row whose element or twin has that name (case ignored); nullptr when there is none.
const ConditionSpec* FindCondition(std::string_view element);

// Compiles what `draft` holds, in order of evaluation. Errors go to `scope`.
std::vector<std::unique_ptr<const Condition>> MakeConditions(const RuleDraft& draft,
                                                             RuleScope& scope);

}  // namespace ospatrol::analysisd
