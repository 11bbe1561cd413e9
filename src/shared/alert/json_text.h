// The smallest pieces of the streaming JSON writer.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

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

  // Keys of these must need no escaping. Nearly all are literals, which are copied without a call.
  void Key(std::string_view key);
  template <size_t kSize>
  void Key(const char (&key)[kSize]) {
    char* to = out_.Begin(kSize + 3);
    *to = ',';
    to += first_ ? 0 : 1;
    first_ = false;
    *to++ = '"';
    std::memcpy(to, key, kSize - 1);
    to += kSize - 1;
    *to++ = '"';
    *to++ = ':';
    out_.End(to);
  }
  template <typename Name>
  void String(const Name& key, std::string_view value) {
    Key(key);
    AppendJsonString(value, out_);
  }
  template <typename Name>
  void StringIfSet(const Name& key, std::string_view value) {
    if (!value.empty()) String(key, value);
  }
  template <typename Name, typename Value>
  void Number(const Name& key, Value value) {
    Key(key);
    if constexpr (std::is_signed_v<Value>) {
      out_.AppendNumber(int64_t{value});
    } else {
      out_.AppendNumber(uint64_t{value});
    }
  }

  // For a key that an outsider chose.
  void AnyKey(std::string_view key);

  RecordText& out() { return out_; }

 private:
  JsonObject(RecordText& out, bool first) : out_(out), first_(first) {}
  RecordText& out_;
  bool first_ = true;
};

}  // namespace ospatrol::alert
