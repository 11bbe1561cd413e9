// The object of alerts.json, schema "legacy" (outputs-and-response 4.1), and of archives.json
// (4.2). A streaming writer: this is the measured hot path.
#pragma once

#include <string>
#include <string_view>

#include "alert/alert.h"
#include "alert/json_text.h"

namespace ospatrol::alert {

// Appends one object and LF. Dynamic fields must have different names.
void AppendJsonRecord(const AlertView& alert, std::string& out);

// Appends one object of archives.json and LF. `alert.rule.id` 0 = no rule matched. `log` is the
// part behind the header.
void AppendJsonArchive(const AlertView& alert, std::string_view log, std::string& out);

}  // namespace ospatrol::alert
