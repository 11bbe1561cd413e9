// Rules and decoders as elements of their files.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "analysisd/condition_registry.h"
#include "analysisd/decoder.h"
#include "analysisd/rule.h"
#include "config/dialect.h"
#include "logtest/sources.h"

namespace ospatrol::logtest {

// Where a rule or decoder is written; nullptr when it is made up by the loader.
const config::Element* ElementOf(const Documents& documents, const analysisd::Rule& rule);
const config::Element* ElementOf(const Documents& documents, const analysisd::Decoder& decoder);

// Children that make one condition: all of a name where the loader joins them or takes the last,
// else one.
struct WrittenCondition {
  const analysisd::ConditionSpec* spec;
  bool pcre2;  // the name is that of the twin
  std::vector<const config::Element*> elements;

  std::string_view name() const { return pcre2 ? spec->twin : spec->element; }
  std::string Text() const;  // joined as the loader does
};

// Without those that have no effect beside their twin.
std::vector<WrittenCondition> ConditionsOf(const config::Element& rule);

// <same_...>, <different_...>.
bool IsComparison(const config::Element& element);

// The line of the first child of one of these names, else of `element` itself.
int LineOf(const config::Element& element, std::initializer_list<std::string_view> names);

}  // namespace ospatrol::logtest
