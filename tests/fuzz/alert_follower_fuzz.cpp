// libraries: alert base
// The bytes of an alert file and of a cursor, in both forms: what the follower takes must advance,
// and be found again at the same place.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "alert/alert_record.h"
#include "alert/cursor.h"

namespace {

using ospatrol::alert::FindLastRecord;
using ospatrol::alert::FindRecord;
using ospatrol::alert::FoundRecord;
using ospatrol::alert::RecordForm;

void Require(bool holds) {
  if (!holds) std::abort();
}

void Walk(RecordForm form, std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const FoundRecord found = FindRecord(form, text.substr(at));
    if (found.kind == FoundRecord::Kind::kIncomplete) return;
    Require(found.length > 0 && found.length <= text.size() - at);
    if (found.kind == FoundRecord::Kind::kAlert) {
      Require(!found.alert.id.empty());
      // The record in front of a cursor is found by looking back from it.
      const std::string_view before = text.substr(0, at + found.length);
      Require(FindLastRecord(form, before, true) == at);
    }
    at += found.length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Walk(RecordForm::kText, text);
  Walk(RecordForm::kJson, text);
  if (const auto cursor = ospatrol::alert::ParseCursor(text)) {
    Require(ospatrol::alert::ParseCursor(FormatCursor(*cursor)) == cursor);
  }
  return 0;
}
