#include "logtest/text_output.h"

#include <fmt/format.h>

#include <iterator>

#include "analysisd/rule.h"
#include "logtest/fields.h"

namespace ospatrol::logtest {
namespace {

using analysisd::IsSet;

void AppendValue(std::string_view label, std::string_view value, std::string& out) {
  fmt::format_to(std::back_inserter(out), "       {}: '{}'\n", label,
                 IsSet(value) ? value : "(null)");
}

}  // namespace

std::string_view FieldLabel(analysisd::Field field) {
  using analysisd::Field;
  switch (field) {
    case Field::kSrcUser:
      return "srcuser";
    case Field::kDstUser:
      return "dstuser";
    case Field::kSrcIp:
      return "srcip";
    case Field::kDstIp:
      return "dstip";
    case Field::kSrcPort:
      return "srcport";
    case Field::kDstPort:
      return "dstport";
    case Field::kProtocol:
      return "proto";
    case Field::kAction:
      return "action";
    case Field::kId:
      return "id";
    case Field::kUrl:
      return "url";
    case Field::kData:
      return "extra_data";
    case Field::kStatus:
      return "status";
    case Field::kSystemName:
      return "system_name";
    case Field::kFilename:
      return "filename";
    case Field::kSrcGeoip:
      return "srcgeoip";
    case Field::kDstGeoip:
      return "dstgeoip";
    case Field::kCount:
      break;
  }
  return "";
}

void AppendDecoding(const analysisd::Event& event, std::string& out) {
  out += "\n\n**Phase 1: Completed pre-decoding.\n";
  AppendValue("full event", event.full_log, out);
  AppendValue("hostname", event.hostname, out);
  AppendValue("program_name", event.program_name, out);
  AppendValue("log", event.log, out);
  out += "\n**Phase 2: Completed decoding.\n";
  if (event.decoder == nullptr) {
    out += "       No decoder matched.\n       decoder: '(null)'\n";
    return;
  }
  ForEachField(
      event, [&](std::string_view name, std::string_view value) { AppendValue(name, value, out); });
  AppendValue("decoder", event.decoder_name, out);
}

void AppendVerdict(const analysisd::Verdict& verdict, std::string& out) {
  if (verdict.rule == nullptr) return;
  const analysisd::Rule& rule = *verdict.rule;
  out += "\n**Phase 3: Completed filtering (rules).\n";
  fmt::format_to(std::back_inserter(out),
                 "       Rule id: '{}'\n       Level: '{}'\n       Description: '{}'\n", rule.id,
                 rule.level, rule.description);
  for (const analysisd::Rule::Info& info : rule.infos) {
    fmt::format_to(std::back_inserter(out), "       Info - {}: '{}'\n", info.type, info.text);
  }
  if (verdict.alert) out += "**Alert to be generated.\n";
}

TextTracer::TextTracer(std::string& out) : out_(out) { out_ += "\n**Rule debugging:\n"; }

void TextTracer::Trying(const analysisd::Rule& rule) {
  fmt::format_to(std::back_inserter(out_), "    Trying rule: {} - {}\n", rule.id, rule.description);
}

void TextTracer::Failed(const analysisd::Rule&, std::string_view, std::string_view) {}

void TextTracer::Matched(const analysisd::Rule& rule, bool has_children) {
  fmt::format_to(std::back_inserter(out_), "       *Rule {} matched.\n", rule.id);
  if (has_children) out_ += "       *Trying child rules.\n";
}

}  // namespace ospatrol::logtest
