#include "analysisd/correlation.h"

#include <fmt/format.h>

#include <array>

namespace ospatrol::analysisd {
namespace {

constexpr std::array<std::string_view, kFieldCount> kFieldNames{
    "srcuser", "dstuser", "srcip", "dstip",  "srcport",     "dstport",  "protocol", "action",
    "id",      "url",     "data",  "status", "system_name", "filename", "srcgeoip", "dstgeoip"};

}  // namespace

std::string ComparedValue::Name() const {
  switch (source) {
    case Source::kField:
      return std::string(kFieldNames[static_cast<size_t>(field)]);
    case Source::kHostname:
      return "hostname";
    case Source::kDynamic:
      return "field " + name;
  }
  return {};
}

std::string Correlation::Describe() const {
  std::string text;
  switch (kind) {
    case Kind::kSid:
      text = fmt::format("if_matched_sid {}", sid);
      break;
    case Kind::kGroup:
      text = fmt::format("if_matched_group '{}'", pattern->text());
      break;
    case Kind::kRegex:
      text = fmt::format("if_matched_regex '{}'", pattern->text());
      break;
  }
  for (const ComparedValue& value : same) text += fmt::format(", same {}", value.Name());
  for (const ComparedValue& value : different) text += fmt::format(", different {}", value.Name());
  return text;
}

}  // namespace ospatrol::analysisd
