// The record of alerts.log: writing (outputs-and-response 3.2, 3.7) and reading (3.6).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alert/alert.h"

namespace ospatrol::alert {

inline constexpr size_t kMaxLogText = 1256;     // bytes of log text and of each earlier event
inline constexpr size_t kMaxLastEvents = 11;

// Appends the whole record, ending in the empty line. Line feeds inside log text cannot forge a record (3.7).
void AppendTextRecord(const Alert& alert, std::string& out);

// "2026 Nov 22 10:00:01 gw1->/var/log/auth.log text" LF: archives.log.
void AppendArchiveLine(const Alert& alert, std::string& out);

// Parses the record that begins at `text` (a "** Alert" line). `consumed` is its length with the empty line.
// Nothing when the record is incomplete (read more) or malformed (consumed > 0: skip it).
std::optional<Alert> ParseTextRecord(std::string_view text, size_t& consumed);

}  // namespace ospatrol::alert
