// libraries: analysisd pattern log base
// under test: analysisd/json_fields.cpp
// Any text: the JSON decoder keeps its bounds, and what it prints of arrays is JSON again.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "analysisd/json_fields.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ospatrol::analysisd::FlattenJson;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr size_t kLimit = 256;
  for (const bool csv : {false, true}) {
    const auto json = FlattenJson(text, {csv, csv}, kLimit);
    if (json.fields.size() > kLimit || json.fields.size() > json.count) std::abort();
    for (const auto& field : json.fields) {
      if (field.value.size() > 65535) std::abort();
    }
  }
  // A lone array: its text must mean what stood in the event.
  if (size > 4096) return 0;
  const auto parsed = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (!parsed.is_object() || parsed.size() != 1 || !parsed.begin()->is_array()) return 0;
  const auto json = FlattenJson(text, {}, kLimit);
  if (json.fields.size() != 1) return 0;               // nested too deeply
  if (json.fields[0].value.size() == 65535) return 0;  // cut
  const auto again = nlohmann::json::parse(json.fields[0].value, nullptr, false);
  if (again.is_discarded()) std::abort();
  return 0;
}
