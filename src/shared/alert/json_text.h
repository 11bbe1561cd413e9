// The smallest pieces of the streaming JSON writer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "alert/record_text.h"

namespace ospatrol::alert {

// Appends `text` as a JSON string with quotes: control bytes escaped, invalid UTF-8 replaced by
// U+FFFD.
void AppendJsonString(std::string_view text, RecordText& out);
void AppendJsonString(std::string_view text, std::string& out);

// An object or array under construction: puts the commas. Begin and end bytes are written by it
// too.
class JsonObject {
 public:
  explicit JsonObject(RecordText& out) : out_(out) { out_.Append('{'); }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;
  // Goes on with an object that has members already.
  static JsonObject Continue(RecordText& out) { return JsonObject(out, false); }
  void End() { out_.Append('}'); }

  // `key` must need no escaping.
  void Key(std::string_view key);
  void String(std::string_view key, std::string_view value);
  void StringIfSet(std::string_view key, std::string_view value) {
    if (!value.empty()) String(key, value);
  }
  void Number(std::string_view key, int64_t value);
  void Number(std::string_view key, uint64_t value);
  void Number(std::string_view key, int value) { Number(key, int64_t{value}); }

  // For a key that an outsider chose.
  void AnyKey(std::string_view key);

  RecordText& out() { return out_; }

 private:
  JsonObject(RecordText& out, bool first) : out_(out), first_(first) {}
  RecordText& out_;
  bool first_ = true;
};

}  // namespace ospatrol::alert
