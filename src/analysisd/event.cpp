#include "analysisd/event.h"

#include <algorithm>

#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kMaxText = 65535;

enum class Keep { kNothing, kLinesAndTabs };

void AppendCleaned(std::string_view text, Keep keep, std::string& out) {
  if (!base::HasControlBytes(text)) {
    out.append(text);
    return;
  }
  for (const char c : text) {
    if (!base::IsControl(c) || (keep == Keep::kLinesAndTabs && (c == '\n' || c == '\t'))) {
      out.push_back(c);
    }
  }
}

// Outputs of commands and relayed alerts come in several lines (1.2).
bool HasLines(std::string_view text) {
  for (const std::string_view product : {"ossec: ", "ospatrol: "}) {
    if (!text.starts_with(product)) continue;
    const std::string_view rest = text.substr(product.size());
    return rest.starts_with("output: ") || rest.starts_with("agentless: ") ||
           rest.starts_with("Alert Level: ");
  }
  return false;
}

void AppendText(char kind, std::string_view text, std::string& out) {
  if (kind != '8') {
    AppendCleaned(text, HasLines(text) ? Keep::kLinesAndTabs : Keep::kNothing, out);
    return;
  }
  const size_t line = std::min(text.find('\n'), text.size());
  AppendCleaned(text.substr(0, line), Keep::kNothing, out);
  AppendCleaned(text.substr(line), Keep::kLinesAndTabs, out);
}

std::string_view UsedPart(std::string_view text) {
  return text.substr(0, std::min(text.find('\0'), kMaxText));
}

}  // namespace

void Event::Reset() {
  kind = '1';
  time = 0;
  location = full_log = log = hostname = program_name = {};
  decoder = nullptr;
  decoder_name = {};
  category = Category::kSyslog;
  first_seen = false;
  relayed_rule = nullptr;
  relay = {};
  dropped = false;
  for (const Extracted& one : extraction_) {
    if (one.field != Field::kCount) fields_[static_cast<size_t>(one.field)] = {};
  }
  dynamic_fields.clear();
  extraction_.clear();
  candidates.reach = Candidates::Reach::kUnknown;
  candidates.prematches.clear();
  candidates.texts.clear();
  file.reset();
  location_buffer_.clear();
  text_buffer_.clear();
  if (!kept_.empty()) kept_.clear();
}

void Event::Start(char new_kind, base::Seconds new_time) {
  Reset();
  kind = new_kind;
  time = new_time;
  if (local_time_ == new_time) return;
  local = base::LocalTime(new_time);
  local_time_ = new_time;
}

void Event::Assign(char new_kind, std::string_view new_location, std::string_view text,
                   base::Seconds new_time) {
  Start(new_kind, new_time);
  AppendCleaned(new_location, Keep::kNothing, location_buffer_);
  AppendText(new_kind, UsedPart(text), text_buffer_);
  location = location_buffer_;
  full_log = text_buffer_;
  log = full_log;
}

void Event::Refer(char new_kind, std::string_view new_location, std::string_view text,
                  base::Seconds new_time) {
  Start(new_kind, new_time);
  location = new_location;
  if (base::HasControlBytes(new_location)) {
    AppendCleaned(new_location, Keep::kNothing, location_buffer_);
    location = location_buffer_;
  }
  full_log = UsedPart(text);
  if (base::HasControlBytes(full_log)) {
    AppendText(new_kind, full_log, text_buffer_);
    full_log = text_buffer_;
  }
  log = full_log;
}

std::string_view Event::Keep(std::string text) { return kept_.emplace_front(std::move(text)); }

std::string_view Event::GetDynamic(std::string_view name) const {
  for (const auto& [known, value] : dynamic_fields) {
    if (base::EqualsIgnoreCase(known, name)) return value;
  }
  return {};
}

void Event::SetDynamic(std::string_view name, std::string_view value) {
  for (uint32_t i = 0; i < dynamic_fields.size(); ++i) {
    if (base::EqualsIgnoreCase(dynamic_fields[i].first, name)) {
      dynamic_fields[i].second = value;
      extraction_.push_back({Field::kCount, i});
      return;
    }
  }
  extraction_.push_back({Field::kCount, static_cast<uint32_t>(dynamic_fields.size())});
  dynamic_fields.emplace_back(name, value);
}

}  // namespace ospatrol::analysisd
