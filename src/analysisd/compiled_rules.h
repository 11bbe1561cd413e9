// Conditions in code that rules name in <compiled_rule> (rules-and-decoders 4.12).
#pragma once

#include <span>
#include <string_view>

#include "analysisd/event.h"

namespace ospatrol::analysisd {

struct CompiledRule {
  std::string_view name;
  bool (*holds)(const Event& event);
};

std::span<const CompiledRule> CompiledRules();
// nullptr when there is none of that name.
const CompiledRule* FindCompiledRule(std::string_view name);

}  // namespace ospatrol::analysisd
