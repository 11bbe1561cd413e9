// One record of a file that holds many: its extent, its id, what it says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "alert/alert.h"
#include "alert/day_log.h"

namespace ospatrol::alert {

inline constexpr size_t kMaxRecord = size_t{16} << 20;  // bytes; no alert is longer

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

// The end of what has been written of a day.
struct WrittenEnd {
  std::string id;      // of the last whole record; empty: there is none
  uint64_t begin = 0;  // where that record begins
  uint64_t end = 0;    // behind it; where an incomplete one begins, when there is no whole one
};
WrittenEnd FindEnd(RecordForm form, DayLog& log);

// The value of the key "id" of a JSON object, as "<epoch>.<seq>"; empty when the line is no such
// object.
std::string JsonRecordId(std::string_view line);

}  // namespace ospatrol::alert
