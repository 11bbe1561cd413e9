// JSON_Decoder: every scalar of a JSON object becomes a field, named by its path: {"a":{"b":1}} is
// a.b = 1 (wazuh4-dialect 4.5). Text behind the first complete value is ignored; anything but an
// object is no JSON event.
#include <algorithm>
#include <array>
#include <utility>

#include "analysisd/json_fields.h"
#include "analysisd/plugin.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxFields = 256;

constexpr std::array<std::pair<std::string_view, Field>, 14> kStatic = {{
    {"srcip", Field::kSrcIp},
    {"dstip", Field::kDstIp},
    {"srcport", Field::kSrcPort},
    {"dstport", Field::kDstPort},
    {"protocol", Field::kProtocol},
    {"action", Field::kAction},
    {"srcuser", Field::kSrcUser},
    {"dstuser", Field::kDstUser},
    {"id", Field::kId},
    {"status", Field::kStatus},
    {"url", Field::kUrl},
    {"data", Field::kData},
    {"extra_data", Field::kData},
    {"systemname", Field::kSystemName},
}};

void SetOne(Event& event, JsonField& field) {
  if (field.key.empty()) return;
  const auto* known = std::find_if(kStatic.begin(), kStatic.end(),
                                   [&](const auto& entry) { return entry.first == field.key; });
  const std::string_view value = event.Keep(std::move(field.value));
  if (known != kStatic.end()) {
    event.Set(known->second, value);
  } else if (field.key == "user" && !IsSet(event.Get(Field::kDstUser))) {
    event.Set(Field::kDstUser, value);
  } else if (!IsSet(event.GetDynamic(field.key))) {
    event.SetDynamic(event.Keep(std::move(field.key)), value);
  }
}

}  // namespace

void DecodeJson(Event& event, const PluginContext& context) {
  const JsonStyle style{context.decoder.json_discard_null, context.decoder.json_arrays_as_csv};
  JsonFields json = FlattenJson(context.input, style, kMaxFields);
  if (json.count > kMaxFields) {
    thread_local log::Limited<msg::kTooManyJsonFields> error;
    error.Write(event.location, json.count, kMaxFields);
  }
  for (JsonField& field : json.fields) SetOne(event, field);
}

}  // namespace ospatrol::analysisd
