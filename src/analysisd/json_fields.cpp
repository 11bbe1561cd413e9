#include "analysisd/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "alert/json_text.h"
#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxDepth = 1000;
constexpr size_t kMaxArrayText = 65535;

// Receives the parser's events. Outside of arrays scalars become fields; an array as a whole
// becomes one text.
class Flattener {
 public:
  Flattener(const JsonStyle& style, size_t limit) : style_(style), limit_(limit) {}

  JsonFields TakeResult() { return std::move(result_); }

  bool null() {
    if (in_array() || !style_.discard_null) Scalar("null", false);
    return true;
  }
  bool boolean(bool value) { return Scalar(value ? "true" : "false", false); }
  bool number_integer(int64_t value) { return Scalar(fmt::format("{}", value), false); }
  bool number_unsigned(uint64_t value) { return Scalar(fmt::format("{}", value), false); }
  bool number_float(double value, const std::string& /*text*/) {
    return Scalar(Number(value), false);
  }
  bool string(std::string& value) { return Scalar(std::move(value), true); }
  bool binary(nlohmann::json::binary_t& /*value*/) { return false; }

  bool start_object(size_t /*count*/) {
    if (levels_.size() >= kMaxDepth) return false;
    if (in_array()) {
      BeginElement();
      Print("{\n");
    }
    levels_.push_back({Kind::kObject, path_.size(), true});
    return true;
  }

  bool key(std::string& name) {
    Level& level = levels_.back();
    if (!in_array()) {
      path_.resize(level.path_size);
      if (!path_.empty()) path_.push_back('.');
      path_ += name;
      return true;
    }
    if (!level.empty) Print(",\n");
    level.empty = false;
    PrintIndentation();
    PrintQuoted(name);
    Print(":\t");
    return true;
  }

  bool end_object() {
    const bool empty = levels_.back().empty;
    levels_.pop_back();
    if (!in_array()) return true;
    if (!empty) Print("\n");
    PrintIndentation();
    Print("}");
    return true;
  }

  bool start_array(size_t /*count*/) {
    if (levels_.size() >= kMaxDepth) return false;
    if (in_array()) {
      BeginElement();
    } else {
      array_level_ = levels_.size() + 1;
      array_text_.clear();
      csv_.clear();
    }
    Print("[");
    levels_.push_back({Kind::kArray, path_.size(), true});
    return true;
  }

  bool end_array() {
    Print("]");
    levels_.pop_back();
    if (levels_.size() + 1 == array_level_) {
      array_level_ = 0;
      AddField(style_.arrays_as_csv ? csv_ : array_text_);
    }
    return true;
  }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) {
    return false;
  }

 private:
  enum class Kind { kObject, kArray };
  struct Level {
    Kind kind;
    size_t path_size;  // of the path that leads here
    bool empty;        // nothing printed yet
  };

  // Inside of an array that is being printed, directly or in an object of it.
  bool in_array() const { return array_level_ != 0; }

  void Print(std::string_view text) {
    if (array_text_.size() < kMaxArrayText) array_text_ += text;
  }
  void PrintIndentation() {
    if (array_text_.size() < kMaxArrayText) {
      array_text_.append(levels_.size() - array_level_ + 1, '\t');
    }
  }
  void PrintQuoted(std::string_view text) {
    if (array_text_.size() < kMaxArrayText) alert::AppendJsonString(text, array_text_);
  }

  void AddField(std::string value) {
    ++result_.count;
    if (result_.fields.size() >= limit_) return;
    value.resize(std::min(value.size(), kMaxArrayText));
    result_.fields.push_back({path_, std::move(value)});
  }

  static std::string Number(double value) {
    constexpr double kExact = 9007199254740992.0;  // 2^53: below it every integer is itself
    if (value > -kExact && value < kExact &&
        value == static_cast<double>(static_cast<int64_t>(value))) {
      return fmt::format("{}", static_cast<int64_t>(value));
    }
    return fmt::format("{}", value);
  }

  // The separator before an element of the innermost array; a member's value needs none.
  void BeginElement() {
    Level& level = levels_.back();
    if (level.kind == Kind::kObject) return;
    if (!level.empty) Print(", ");
    level.empty = false;
  }

  bool Scalar(std::string value, bool quoted) {
    if (levels_.empty()) return false;
    if (!in_array()) {
      AddField(std::move(value));
      return true;
    }
    BeginElement();
    if (levels_.size() == array_level_) {
      if (!csv_.empty()) csv_.push_back(',');
      csv_ += value;
    }
    if (quoted) {
      PrintQuoted(value);
    } else {
      Print(value);
    }
    return true;
  }

  JsonStyle style_;
  size_t limit_;
  JsonFields result_;
  std::vector<Level> levels_;
  std::string path_;
  size_t array_level_ = 0;  // levels_.size() inside the array that is being printed; 0 = none
  std::string array_text_;
  std::string csv_;
};

// False when `text` does not begin with valid JSON.
bool Parse(std::string_view text, const JsonStyle& style, size_t limit, JsonFields& result) {
  Flattener flattener(style, limit);
  constexpr bool kWholeText = false;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &flattener,
                                 nlohmann::json::input_format_t::json, kWholeText)) {
    return false;
  }
  result = flattener.TakeResult();
  return true;
}

// Length of the valid UTF-8 sequence at the front of `text`; 0 = there is none.
size_t SequenceLength(std::string_view text) {
  const auto at = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](size_t i) { return (at(i) & 0xC0u) == 0x80u; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && at(1) < 0xA0;
    const bool surrogate = first == 0xED && at(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && at(1) < 0x90;
    const bool beyond = first == 0xF4 && at(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

// One bad byte must not hide an event from the rules: the parser takes valid UTF-8 only.
bool ReplaceInvalid(std::string_view text, std::string& valid) {
  bool replaced = false;
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) {
      valid += "\xEF\xBF\xBD";
      replaced = true;
    } else {
      valid += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return replaced;
}

}  // namespace

JsonFields FlattenJson(std::string_view text, const JsonStyle& style, size_t limit) {
  JsonFields result;
  while (!text.empty() && base::IsSpace(text.front())) text.remove_prefix(1);
  if (!text.starts_with('{') || Parse(text, style, limit, result)) return result;
  std::string valid;
  if (ReplaceInvalid(text, valid)) Parse(valid, style, limit, result);
  return result;
}

}  // namespace ospatrol::analysisd
