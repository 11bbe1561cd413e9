// The object of alerts.json, schema "legacy" (outputs-and-response 4.1), and of archives.json (4.2).
// A streaming writer: this is the measured hot path.
#pragma once

#include <string>
#include <string_view>

#include "alert/alert.h"

namespace ospatrol::alert {

// Appends one object and LF.
void AppendJsonRecord(const Alert& alert, std::string& out);

// Appends one object of archives.json and LF. `alert.rule.id` 0 = no rule matched.
void AppendJsonArchive(const Alert& alert, std::string_view log, std::string& out);

// Appends `text` as a JSON string with quotes: control bytes escaped, invalid UTF-8 replaced by U+FFFD.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace ospatrol::alert
