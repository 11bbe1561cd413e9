#include "logtest/explain.h"

#include <fmt/format.h>

#include <iterator>

#include "analysisd/rule.h"

namespace ospatrol::logtest {

void StepTracer::Trying(const analysisd::Rule&) {}

void StepTracer::Failed(const analysisd::Rule& rule, std::string_view condition,
                        std::string_view detail) {
  steps_.push_back({rule.id, std::string(condition), std::string(detail)});
}

void StepTracer::Matched(const analysisd::Rule& rule, bool) { steps_.push_back({rule.id, "", ""}); }

void AppendExplanation(const std::vector<TraceStep>& steps, const analysisd::Verdict& verdict,
                       std::string& out) {
  out += "\n**Rules tried:\n";
  for (const TraceStep& step : steps) {
    if (step.failed_condition.empty()) {
      fmt::format_to(std::back_inserter(out), "       {}: matched\n", step.rule);
    } else {
      fmt::format_to(std::back_inserter(out), "       {}: <{}> failed: {}\n", step.rule,
                     step.failed_condition, step.detail);
    }
  }
  if (verdict.rule == nullptr) {
    out += "       no rule matched\n";
  } else if (verdict.silenced) {
    fmt::format_to(std::back_inserter(out),
                   "       {}: silenced by its ignore time or an ignore line\n", verdict.rule->id);
  }
}

}  // namespace ospatrol::logtest
