#include "logtest/coverage.h"

#include "analysisd/condition_registry.h"
#include "analysisd/rule.h"

namespace ospatrol::logtest {
namespace {

const std::vector<size_t> kNone;

}  // namespace

void Coverage::Trying(const analysisd::Rule& rule) { Add(tried_[rule.id]); }

void Coverage::Failed(const analysisd::Rule& rule, std::string_view condition, std::string_view) {
  const auto* spec = analysisd::FindCondition(condition);
  if (spec != nullptr) Add(failed_[{rule.id, spec->element}]);
}

const std::vector<size_t>& Coverage::Tried(int rule_id) const {
  const auto found = tried_.find(rule_id);
  return found == tried_.end() ? kNone : found->second;
}

const std::vector<size_t>& Coverage::FailedAt(int rule_id, std::string_view condition) const {
  const auto found = failed_.find({rule_id, analysisd::FindCondition(condition)->element});
  return found == failed_.end() ? kNone : found->second;
}

void Coverage::Add(std::vector<size_t>& cases) const {
  if (cases.empty() || cases.back() != case_) cases.push_back(case_);
}

}  // namespace ospatrol::logtest
