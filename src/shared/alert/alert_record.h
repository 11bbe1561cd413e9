// One record of a file that holds many: its extent, its id, what it says.
#pragma once

#include <string_view>

#include "alert/alert.h"

namespace ospatrol::alert {

enum class RecordForm {
  kText,  // alerts.log, queue/alerts/spool: "** Alert" to the empty line
  kJson,  // alerts.json: one object a line
};

struct FoundRecord {
  enum class Kind {
    kAlert,       // a whole record of `length` bytes
    kIncomplete,  // its end is not here yet
    kBlank,       // `length` bytes of line feeds between records
    kBroken,      // `length` bytes that are no record: torn, or somebody else's
  };
  Kind kind = Kind::kIncomplete;
  size_t length = 0;
  Alert alert;  // kText: as ParseTextRecord; kJson: id and time
};

// What stands at the beginning of `text`.
FoundRecord FindRecord(RecordForm form, std::string_view text);

// Where the last record of `text` begins; npos when none begins there. `at_start`: `text` begins
// where the file does.
size_t FindLastRecord(RecordForm form, std::string_view text, bool at_start);

// The value of the key "id" of a JSON object, as "<epoch>.<seq>"; empty when the line is no such
// object.
std::string JsonRecordId(std::string_view line);

}  // namespace ospatrol::alert
