#include "alert/text_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "alert/record_lines.h"
#include "alert/rule_text.h"
#include "alert/time_text.h"
#include "base/text.h"

namespace ospatrol::alert {
namespace {

constexpr std::string_view kLineBreakers{"\n\r\0", 3};

// A value that must stay on its line.
void AppendOneLine(std::string_view value, std::string& out) {
  if (!base::HasControlBytes(value)) {
    out += value;
    return;
  }
  for (const char c : value) {
    out += kLineBreakers.find(c) == std::string_view::npos ? c : ' ';
  }
}

void AppendField(std::string_view label, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out += label;
  AppendOneLine(value, out);
  out += '\n';
}

void AppendWhere(const Alert& alert, std::string& out) {
  if (!alert.hostname.empty() && alert.hostname != alert.location) {
    AppendOneLine(alert.hostname, out);
    out += "->";
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
void AppendLogLine(std::string_view line, Trust trust, std::string& out) {
  const size_t begin = out.size();
  if (!base::HasControlBytes(line)) {
    out += line;
  } else {
    std::copy_if(line.begin(), line.end(), std::back_inserter(out),
                 [](char c) { return kLineBreakers.find(c) == std::string_view::npos; });
  }
  const std::string_view written = std::string_view(out).substr(begin);
  const bool forged = trust == Trust::kIntegrity
                          ? IsHeaderLine(written)
                          : IsHeaderLine(written) || IsIntegrityLine(written);
  if (written.empty() || forged) out.insert(begin, 1, ' ');
  out += '\n';
}

void AppendLogText(std::string_view text, Trust trust, std::string& out) {
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

}  // namespace

void AppendRuleLine(const RuleFacts& rule, std::string& out) {
  fmt::format_to(std::back_inserter(out), "Rule: {} (level {}) -> '", rule.id, rule.level);
  AppendOneLine(rule.comment, out);
  out += "'\n";
}

void AppendTextRecord(const Alert& alert, std::string& out) {
  out += kRecordStart;
  out += ' ';
  out += alert.id;
  out += alert.mail ? ": mail  - " : ": - ";
  AppendOneLine(alert.rule.group, out);
  out += '\n';
  out += TimeText(alert.time);
  out += ' ';
  AppendWhere(alert, out);
  out += '\n';
  if (alert.rule.text != nullptr) {
    out += alert.rule.text->line;
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
    out += '\n';
  } else {
    AppendLogText(alert.full_log, integrity ? Trust::kIntegrity : Trust::kNone, out);
  }
  const size_t earlier = std::min(alert.last_events.size(), kMaxLastEvents);
  for (size_t i = 0; i < earlier; ++i) AppendLogText(alert.last_events[i], Trust::kNone, out);
  // A log text that ends in LF is followed by two empty lines; earlier events must not stand behind
  // the first of them.
  if (earlier == 0 && alert.full_log.size() <= kMaxLogText && alert.full_log.ends_with('\n')) {
    out += '\n';
  }
  out += '\n';
}

void AppendArchiveLine(const Alert& alert, std::string& out) {
  out += TimeText(alert.time);
  out += ' ';
  AppendWhere(alert, out);
  out += ' ';
  AppendOneLine(alert.full_log, out);
  out += '\n';
}

void AppendFirewallLine(const Alert& alert, std::string& out) {
  const auto or_zero = [](const std::string& port) {
    return port.empty() ? std::string_view("0") : std::string_view(port);
  };
  out += TimeText(alert.time);
  out += ' ';
  AppendWhere(alert, out);
  for (const std::string_view part :
       {std::string_view(" "), std::string_view(alert.action), std::string_view(" "),
        std::string_view(alert.protocol), std::string_view(" "), std::string_view(alert.srcip),
        std::string_view(":"), or_zero(alert.srcport), std::string_view("->"),
        std::string_view(alert.dstip), std::string_view(":"), or_zero(alert.dstport)}) {
    AppendOneLine(part, out);
  }
  out += '\n';
}

}  // namespace ospatrol::alert
