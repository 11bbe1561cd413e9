#include "alert/text_record.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "alert/copy_run.h"
#include "alert/record_lines.h"
#include "alert/rule_text.h"
#include "alert/time_text.h"
#include "base/byte_search.h"

namespace ospatrol::alert {
namespace {

constexpr std::string_view kLineBreakers{"\n\r\0", 3};

// Is one of these bytes below 0x20?
struct HasControlBytes {
  template <size_t kSize>
  bool operator()(const char* from) const {
    uint64_t below = 0;
    for (size_t i = 0; i < kSize; i += sizeof(uint64_t)) {
      below |= base::BytesBelow(base::ReadEightBytes(from + i), 0x20);
    }
    return (below & base::kByteHighBits) != 0;
  }
};

// Copies `text` up to its first byte below 0x20; gives how much.
size_t CopyPlain(std::string_view text, char*& to) {
  return CopyRun(text, 0, to, HasControlBytes(),
                 [](char c) { return static_cast<uint8_t>(c) < 0x20; });
}

bool IsLineBreaker(char c) { return kLineBreakers.find(c) != std::string_view::npos; }

// A value that must stay on its line.
void AppendOneLine(std::string_view value, RecordText& out) {
  char* to = out.Begin(value.size());
  for (const char c : value.substr(CopyPlain(value, to))) *to++ = IsLineBreaker(c) ? ' ' : c;
  out.End(to);
}

void AppendField(std::string_view label, std::string_view value, RecordText& out) {
  if (value.empty()) return;
  out.Append(label);
  AppendOneLine(value, out);
  out.Append('\n');
}

void AppendWhere(const AlertView& alert, RecordText& out) {
  if (!alert.hostname.empty() && alert.hostname != alert.location) {
    AppendOneLine(alert.hostname, out);
    out.Append("->");
  }
  AppendOneLine(alert.location, out);
}

// Which lines of a text may look like lines of a record.
enum class Trust {
  kNone,       // all of it came from outside
  kIntegrity,  // made by the engine, up to "What changed:"
};

// One line of log text with its LF. CR and NUL are gone before it is looked at: they could hide
// what it begins with.
void AppendLogLine(std::string_view line, Trust trust, RecordText& out) {
  const size_t begin = out.size();
  char* to = out.Begin(line.size());
  for (const char c : line.substr(CopyPlain(line, to))) {
    if (!IsLineBreaker(c)) *to++ = c;
  }
  out.End(to);
  const std::string_view written = out.view().substr(begin);
  const bool forged = trust == Trust::kIntegrity
                          ? IsHeaderLine(written)
                          : IsHeaderLine(written) || IsIntegrityLine(written);
  if (written.empty() || forged) out.Insert(begin, ' ');
  out.Append('\n');
}

void AppendLogText(std::string_view text, Trust trust, RecordText& out) {
  text = text.substr(0, kMaxLogText);
  for (;;) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.starts_with(kDiffFollows)) trust = Trust::kNone;
    AppendLogLine(line, trust, out);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
    if (text.empty()) return;
  }
}

// Where this thread puts records together.
RecordText& Fresh() {
  thread_local RecordText text;
  text.Clear();
  return text;
}

}  // namespace

void AppendRuleLine(const RuleFactsView& rule, RecordText& out) {
  out.Append("Rule: ");
  out.AppendNumber(int64_t{rule.id});
  out.Append(" (level ");
  out.AppendNumber(int64_t{rule.level});
  out.Append(") -> '");
  AppendOneLine(rule.comment, out);
  out.Append("'\n");
}

void AppendTextRecord(const AlertView& alert, std::string& record) {
  RecordText& out = Fresh();
  out.Append(kRecordStart);
  out.Append(' ');
  out.Append(alert.id);
  out.Append(alert.mail ? ": mail  - " : ": - ");
  AppendOneLine(alert.rule.group, out);
  out.Append('\n');
  out.Append(TimeText(alert.time));
  out.Append(' ');
  AppendWhere(alert, out);
  out.Append('\n');
  if (alert.rule.text != nullptr) {
    out.Append(alert.rule.text->line);
  } else {
    AppendRuleLine(alert.rule, out);
  }
  AppendField(kSrcIp, alert.srcip, out);
  AppendField(kSrcLocation, alert.srcgeoip, out);
  AppendField(kSrcPort, alert.srcport, out);
  AppendField(kDstIp, alert.dstip, out);
  AppendField(kDstLocation, alert.dstgeoip, out);
  AppendField(kDstPort, alert.dstport, out);
  AppendField(kUser, alert.dstuser, out);

  const bool integrity = alert.decoder.name.starts_with("syscheck_");
  if (alert.full_log.empty()) {
    out.Append('\n');
  } else {
    AppendLogText(alert.full_log, integrity ? Trust::kIntegrity : Trust::kNone, out);
  }
  const size_t earlier = std::min(alert.last_events.size(), kMaxLastEvents);
  for (size_t i = 0; i < earlier; ++i) AppendLogText(alert.last_events[i], Trust::kNone, out);
  // A log text that ends in LF is followed by two empty lines; earlier events must not stand behind
  // the first of them.
  if (earlier == 0 && alert.full_log.size() <= kMaxLogText && alert.full_log.ends_with('\n')) {
    out.Append('\n');
  }
  out.Append('\n');
  record += out.view();
}

void AppendArchiveLine(const AlertView& alert, std::string& line) {
  RecordText& out = Fresh();
  out.Append(TimeText(alert.time));
  out.Append(' ');
  AppendWhere(alert, out);
  out.Append(' ');
  AppendOneLine(alert.full_log, out);
  out.Append('\n');
  line += out.view();
}

void AppendFirewallLine(const AlertView& alert, std::string& line) {
  RecordText& out = Fresh();
  const auto or_zero = [](std::string_view port) {
    return port.empty() ? std::string_view("0") : port;
  };
  out.Append(TimeText(alert.time));
  out.Append(' ');
  AppendWhere(alert, out);
  for (const std::string_view part :
       {std::string_view(" "), alert.action, std::string_view(" "), alert.protocol,
        std::string_view(" "), alert.srcip, std::string_view(":"), or_zero(alert.srcport),
        std::string_view("->"), alert.dstip, std::string_view(":"), or_zero(alert.dstport)}) {
    AppendOneLine(part, out);
  }
  out.Append('\n');
  line += out.view();
}

}  // namespace ospatrol::alert
