#include "logtest/json_output.h"

#include <fmt/format.h>

#include <iterator>

#include "alert/json_text.h"
#include "analysisd/rule.h"
#include "base/text.h"
#include "logtest/fields.h"

namespace ospatrol::logtest {
namespace {

using alert::AppendJsonString;
using analysisd::IsSet;

void AppendOptional(std::string_view value, std::string& out) {
  if (IsSet(value)) {
    AppendJsonString(value, out);
  } else {
    out += "null";
  }
}

void AppendFields(const analysisd::Event& event, std::string& out) {
  out += '{';
  bool first = true;
  ForEachField(event, [&](std::string_view name, std::string_view value) {
    if (!first) out += ',';
    first = false;
    AppendJsonString(name, out);
    out += ':';
    AppendJsonString(value, out);
  });
  out += '}';
}

void AppendRule(const analysisd::Rule* rule, std::string& out) {
  if (rule == nullptr) {
    out += "null";
    return;
  }
  fmt::format_to(std::back_inserter(out), R"({{"id":{},"level":{},"description":)", rule->id,
                 rule->level);
  AppendJsonString(rule->description, out);
  out += R"(,"groups":[)";
  bool first = true;
  for (const std::string_view group : base::SplitWords(rule->group, ",")) {
    if (!first) out += ',';
    first = false;
    AppendJsonString(base::Trim(group), out);
  }
  out += "]}";
}

}  // namespace

void AppendShortJson(uint64_t line, const analysisd::Event& event,
                     const analysisd::Verdict& verdict, std::string& out) {
  fmt::format_to(std::back_inserter(out), R"({{"line":{},"decoder":)", line);
  AppendOptional(event.decoder_name, out);
  out += R"(,"fields":)";
  AppendFields(event, out);
  out += R"(,"rule":)";
  AppendRule(verdict.rule, out);
  out += "}\n";
}

void AppendFullJson(uint64_t line, const analysisd::Event& event, const analysisd::Verdict& verdict,
                    const std::vector<TraceStep>& trace, int64_t decode_ns, int64_t judge_ns,
                    std::string& out) {
  fmt::format_to(std::back_inserter(out), R"({{"line":{},"predecoding":{{"full_event":)", line);
  AppendJsonString(event.full_log, out);
  out += R"(,"hostname":)";
  AppendOptional(event.hostname, out);
  out += R"(,"program_name":)";
  AppendOptional(event.program_name, out);
  out += R"(,"log":)";
  AppendJsonString(event.log, out);
  out += R"(},"decoder":)";
  AppendOptional(event.decoder_name, out);
  out += R"(,"fields":)";
  AppendFields(event, out);
  out += R"(,"rule":)";
  AppendRule(verdict.rule, out);
  fmt::format_to(std::back_inserter(out), R"(,"alert":{},"silenced":{},"last_events":[)",
                 verdict.alert, verdict.silenced);
  for (size_t i = 0; i < verdict.last_events.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonString(verdict.last_events[i], out);
  }
  out += R"(],"trace":[)";
  for (size_t i = 0; i < trace.size(); ++i) {
    fmt::format_to(std::back_inserter(out), R"({}{{"rule":{},"matched":{})", i > 0 ? "," : "",
                   trace[i].rule, trace[i].failed_condition.empty());
    if (!trace[i].failed_condition.empty()) {
      out += R"(,"failed":)";
      AppendJsonString(trace[i].failed_condition, out);
      out += R"(,"detail":)";
      AppendJsonString(trace[i].detail, out);
    }
    out += '}';
  }
  fmt::format_to(std::back_inserter(out),
                 R"(],"timing_ns":{{"decode":{},"judge":{}}}}})"
                 "\n",
                 decode_ns, judge_ns);
}

}  // namespace ospatrol::logtest
