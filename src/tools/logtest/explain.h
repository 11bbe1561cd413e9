// --explain and -j: what happened to each rule that was tried.
#pragma once

#include <string>
#include <vector>

#include "analysisd/engine.h"
#include "logtest/json_output.h"

namespace ospatrol::logtest {

// Collects the steps of one evaluation.
class StepTracer : public analysisd::Tracer {
 public:
  void Trying(const analysisd::Rule& rule) override;
  void Failed(const analysisd::Rule& rule, std::string_view condition,
              std::string_view detail) override;
  void Matched(const analysisd::Rule& rule, bool has_children) override;

  const std::vector<TraceStep>& steps() const { return steps_; }

 private:
  std::vector<TraceStep> steps_;
};

// "**Rules tried:" and one line a rule: matched, or the condition it failed at with what was wanted
// and seen.
void AppendExplanation(const std::vector<TraceStep>& steps, const analysisd::Verdict& verdict,
                       std::string& out);

}  // namespace ospatrol::logtest
