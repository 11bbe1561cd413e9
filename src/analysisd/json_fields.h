// Flattens a JSON object to named texts (wazuh4-dialect 4.5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ospatrol::analysisd {

struct JsonStyle {
  bool discard_null = false;   // else "null"
  bool arrays_as_csv = false;  // scalar elements joined by ','; else the array as JSON text
};

struct JsonField {
  std::string key;    // members joined by '.'
  std::string value;  // text as decoded; integers plain, other numbers as short as reads back equal
};

struct JsonFields {
  std::vector<JsonField> fields;  // at most `limit`
  size_t count = 0;               // of all fields of the object
};

// In document order. White space in front and anything behind the first complete value are ignored.
// Empty when `text` holds no valid object or nests deeper than 1000 levels. Bytes that are not
// UTF-8 arrive as U+FFFD; the text of an array is cut at 65535 bytes.
JsonFields FlattenJson(std::string_view text, const JsonStyle& style, size_t limit);

}  // namespace ospatrol::analysisd
