// The record of alerts.log: writing (outputs-and-response 3.2, 3.7) and reading (3.6). Lines of
// archives.log and firewall.log (3.8).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alert/alert.h"
#include "alert/record_text.h"

namespace ospatrol::alert {

inline constexpr size_t kMaxLogText = 1256;  // bytes of log text and of each earlier event
inline constexpr size_t kMaxLastEvents = 11;

// Appends the whole record, ending in the empty line. Line feeds inside log text cannot forge a
// record (3.7).
void AppendTextRecord(const AlertView& alert, std::string& out);

// "Rule: 5710 (level 5) -> 'comment'" LF, a part of it.
void AppendRuleLine(const RuleFactsView& rule, RecordText& out);

// "2026 Nov 22 10:00:01 gw1->/var/log/auth.log text" LF: archives.log. One line, whatever the text
// holds.
void AppendArchiveLine(const AlertView& alert, std::string& out);

// "2026 Nov 22 10:00:01 fw1->203.0.113.9 DROP TCP 198.51.100.7:40022->192.0.2.10:22" LF:
// firewall.log.
void AppendFirewallLine(const AlertView& alert, std::string& out);

// Parses the record that begins at `text` (a "** Alert" line). `consumed` is its length with the
// empty line. Nothing when the record is incomplete (consumed 0: read more) or what stands there is
// none (consumed > 0: skip it).
//
// `location` becomes the whole "hostname->location", since they cannot be told apart; `full_log`
// all lines of log text and earlier events. Of `rule` only id, level, comment and group are known.
// `file` is filled for integrity events.
std::optional<Alert> ParseTextRecord(std::string_view text, size_t& consumed);

}  // namespace ospatrol::alert
