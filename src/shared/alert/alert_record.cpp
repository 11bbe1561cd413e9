#include "alert/alert_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "alert/record_lines.h"
#include "alert/text_record.h"
#include "base/text.h"

namespace ospatrol::alert {
namespace {

using Kind = FoundRecord::Kind;

// Looks at the whole line: one that was torn behind its id is no record.
class IdFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  const std::string& id() const { return id_; }

  bool key(string_t& name) override {
    wanted_ = depth_ == 1 && name == "id";
    return true;
  }
  bool string(string_t& value) override {
    if (wanted_ && id_.empty()) id_ = value;
    return Scalar();
  }
  bool start_object(size_t) override { return Begin(); }
  bool start_array(size_t) override { return depth_ > 0 && Begin(); }
  bool end_object() override { return End(); }
  bool end_array() override { return End(); }
  bool null() override { return Scalar(); }
  bool boolean(bool) override { return Scalar(); }
  bool number_integer(number_integer_t) override { return Scalar(); }
  bool number_unsigned(number_unsigned_t) override { return Scalar(); }
  bool number_float(number_float_t, const string_t&) override { return Scalar(); }
  bool binary(binary_t&) override { return false; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  static constexpr int kMaxDepth = 64;
  bool Begin() {
    wanted_ = false;
    return ++depth_ <= kMaxDepth;
  }
  bool End() {
    --depth_;
    return true;
  }
  bool Scalar() {
    wanted_ = false;
    return depth_ > 0;
  }

  int depth_ = 0;
  bool wanted_ = false;
  std::string id_;
};

FoundRecord FindText(std::string_view text) {
  FoundRecord found;
  const size_t blank = std::min(text.find_first_not_of('\n'), text.size());
  if (blank > 0) {
    found.kind = Kind::kBlank;
    found.length = blank;
    return found;
  }
  auto alert = ParseTextRecord(text, found.length);
  if (found.length == 0) return found;
  found.kind = alert ? Kind::kAlert : Kind::kBroken;
  if (alert) found.alert = std::move(*alert);
  return found;
}

FoundRecord FindJson(std::string_view text) {
  FoundRecord found;
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return found;
  found.length = end + 1;
  found.kind = end == 0 ? Kind::kBlank : Kind::kBroken;
  found.alert.id = JsonRecordId(text.substr(0, end));
  if (found.alert.id.empty()) return found;
  const std::string_view epoch =
      std::string_view(found.alert.id).substr(0, found.alert.id.find('.'));
  found.alert.time = base::ParseNumber<base::Seconds>(epoch).value_or(0);
  found.kind = Kind::kAlert;
  return found;
}

}  // namespace

WrittenEnd FindEnd(RecordForm form, DayLog& log) {
  constexpr uint64_t kFirstWindow = 64 * 1024;
  const uint64_t size = log.Size();
  for (uint64_t window = kFirstWindow;; window *= 8) {
    const uint64_t begin = size - std::min(size, window);
    std::string tail;
    while (tail.size() < size - begin &&
           log.Read(begin + tail.size(), static_cast<size_t>(size - begin) - tail.size(), tail) >
               0) {
    }
    std::string_view text = tail;
    uint64_t end = size;
    for (size_t at; (at = FindLastRecord(form, text, begin == 0)) != std::string_view::npos;) {
      FoundRecord found = FindRecord(form, std::string_view(tail).substr(at));
      if (found.kind == Kind::kAlert) {
        return {std::move(found.alert.id), begin + at, begin + at + found.length};
      }
      // Incomplete, torn, or not ours: the one before it.
      if (found.kind == Kind::kIncomplete) end = begin + at;
      text = text.substr(0, at);
    }
    if (begin == 0 || window > kMaxRecord) return {{}, 0, end};
  }
}

std::string JsonRecordId(std::string_view line) {
  IdFinder finder;
  if (!nlohmann::json::sax_parse(line.begin(), line.end(), &finder)) return {};
  const std::string& id = finder.id();
  const size_t dot = id.find('.');
  const bool valid = dot != std::string::npos &&
                     base::AllDigits(std::string_view(id).substr(0, dot)) &&
                     base::AllDigits(std::string_view(id).substr(dot + 1));
  return valid ? id : std::string();
}

FoundRecord FindRecord(RecordForm form, std::string_view text) {
  return form == RecordForm::kText ? FindText(text) : FindJson(text);
}

size_t FindLastRecord(RecordForm form, std::string_view text, bool at_start) {
  if (form == RecordForm::kText) {
    const std::string start = "\n" + std::string(kRecordStart);
    const size_t at = text.rfind(start);
    if (at != std::string_view::npos) return at + 1;
    return at_start && text.starts_with(kRecordStart) ? 0 : std::string_view::npos;
  }
  if (text.size() < 2) return std::string_view::npos;
  const size_t before = text.rfind('\n', text.size() - 2);
  if (before != std::string_view::npos) return before + 1;
  return at_start ? 0 : std::string_view::npos;
}

}  // namespace ospatrol::alert
