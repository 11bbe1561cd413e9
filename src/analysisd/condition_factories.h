// Factories of condition_<name>.cpp; used by condition_registry.cpp only.
#pragma once

#include <memory>

#include "analysisd/condition_registry.h"

namespace ospatrol::analysisd {

std::unique_ptr<const Condition> MakeDecodedAs(const ConditionInput& input);
std::unique_ptr<const Condition> MakeText(const ConditionInput& input);
std::unique_ptr<const Condition> MakeField(const ConditionInput& input);
std::unique_ptr<const Condition> MakeSourceAddress(const ConditionInput& input);
std::unique_ptr<const Condition> MakeDestinationAddress(const ConditionInput& input);
std::unique_ptr<const Condition> MakeCompiledRule(const ConditionInput& input);
std::unique_ptr<const Condition> MakeTime(const ConditionInput& input);
std::unique_ptr<const Condition> MakeWeekday(const ConditionInput& input);
std::unique_ptr<const Condition> MakeCheckDiff(const ConditionInput& input);
std::unique_ptr<const Condition> MakeIfFts(const ConditionInput& input);
std::unique_ptr<const Condition> MakeList(const ConditionInput& input);

// The attribute `maxsize`: a log of at least so many bytes.
std::unique_ptr<const Condition> MakeMaxSize(int bytes);

// <decoded_as>: DecoderSet::NameId of what it wants; 0 for any other condition.
int DecoderNameId(const Condition& condition);

}  // namespace ospatrol::analysisd
