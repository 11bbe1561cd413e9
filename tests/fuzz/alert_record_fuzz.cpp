// libraries: alert
// under test: shared/alert/text_record_parser.cpp shared/alert/record_lines.cpp
// Records of alerts.log. Any bytes parse or are skipped, and the reader always gets on; any text
// that is written as log text, field or earlier event parses back as one record.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "alert/custom_record.h"
#include "alert/json_record.h"
#include "alert/text_record.h"

namespace {

using namespace ospatrol::alert;

void ReadAll(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t consumed = 0;
    const auto alert = ParseTextRecord(bytes, consumed);
    if (alert && consumed == 0) std::abort();
    if (consumed > bytes.size()) std::abort();
    if (consumed == 0) return;
    bytes.remove_prefix(consumed);
  }
}

void WriteAndRead(const std::string& text) {
  Alert alert;
  alert.id = "1715076711.43";
  alert.time = 1715076711;
  alert.rule.id = 1002;
  alert.rule.level = 2;
  alert.rule.comment = text;
  alert.rule.group = "rootcheck,syscheck," + text;
  alert.location = text;
  alert.hostname = "(web1) " + text;
  alert.full_log = text;
  alert.last_events = {"Previous output:", text};
  alert.srcip = "192.0.2.1";
  alert.dstuser = text;
  alert.dynamic_fields = {{text, text}};
  for (const char* decoder : {"sshd", "syscheck_integrity_changed"}) {
    alert.decoder.name = decoder;
    std::string record;
    AppendTextRecord(alert, record);
    size_t consumed = 0;
    const auto parsed = ParseTextRecord(record, consumed);
    if (!parsed || consumed != record.size() || parsed->id != alert.id) std::abort();
    if (parsed->rule.id != 1002 || parsed->rule.level != 2) std::abort();
    if (parsed->srcip != alert.srcip) std::abort();
  }
  std::string lines;
  AppendArchiveLine(alert, lines);
  AppendJsonRecord(alert, lines);
  AppendJsonArchive(alert, text, lines);
  size_t count = 0;
  for (const char c : lines) count += c == '\n';
  if (count != 3) std::abort();
  CustomFormat(text).Append(alert, lines);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  ReadAll(text);
  WriteAndRead(text);
  return 0;
}
