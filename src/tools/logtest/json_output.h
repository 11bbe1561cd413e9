// Events and verdicts as JSON, one object on one line of standard output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysisd/engine.h"

namespace ospatrol::logtest {

// --json:
// {"line":N,"decoder":"sshd"|null,"fields":{...},"rule":{"id":..,"level":..,"description":..,"groups":[..]}|null}
void AppendShortJson(uint64_t line, const analysisd::Event& event,
                     const analysisd::Verdict& verdict, std::string& out);

// One step of the evaluation, for -j.
struct TraceStep {
  int rule = 0;
  std::string failed_condition;  // empty: the rule matched
  std::string detail;
};

// -j: all phases, the trace, and how long decoding and judging took.
void AppendFullJson(uint64_t line, const analysisd::Event& event, const analysisd::Verdict& verdict,
                    const std::vector<TraceStep>& trace, int64_t decode_ns, int64_t judge_ns,
                    std::string& out);

}  // namespace ospatrol::logtest
