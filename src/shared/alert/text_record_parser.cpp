// Reading alerts.log. First the extent of the record is found, then its lines are taken apart: so a
// half-written record costs nothing but another read.
#include <charconv>
#include <vector>

#include "alert/record_lines.h"
#include "alert/text_record.h"
#include "base/text.h"

namespace ospatrol::alert {
namespace {

constexpr size_t kHeaderLines = 3;            // "** Alert", date, rule
constexpr size_t kDateText = 20;              // "2024 May 07 10:11:12"
constexpr std::string_view kNone = "(none)";  // old records

struct Extent {
  enum class Kind { kRecord, kIncomplete, kTorn };
  Kind kind = Kind::kIncomplete;
  size_t length = 0;  // kRecord, kTorn: bytes up to the next record
  std::vector<std::string_view> lines;
};

bool IsField(std::string_view line) {
  return IsHeaderLine(line) && !line.starts_with(kRecordStart);
}

// The lines of the record at `text`, without the empty one that ends it.
Extent FindExtent(std::string_view text) {
  Extent extent;
  bool log_seen = false;
  size_t at = 0;
  for (;;) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return extent;
    const std::string_view line = text.substr(at, end - at);
    if (!extent.lines.empty() && line.starts_with(kRecordStart)) {
      extent.kind = Extent::Kind::kTorn;
      extent.length = at;
      return extent;
    }
    at = end + 1;
    if (line.empty() && log_seen) break;
    extent.lines.push_back(line);
    const bool frame = extent.lines.size() <= kHeaderLines || (!log_seen && IsField(line));
    if (!frame) log_seen = true;
  }
  // The log text itself ended in a line feed.
  if (text.substr(at).starts_with('\n')) {
    extent.lines.emplace_back();
    ++at;
  }
  extent.kind = Extent::Kind::kRecord;
  extent.length = at;
  return extent;
}

// "** Alert 1715076672.41: mail  - syslog,sshd,"
bool ParseHeader(std::string_view line, Alert& alert) {
  line.remove_prefix(kRecordStart.size());
  const size_t colon = line.find(':');
  if (!line.starts_with(' ') || colon == std::string_view::npos) return false;
  const std::string_view id = line.substr(1, colon - 1);
  const size_t dot = id.find('.');
  if (dot == std::string_view::npos || !base::AllDigits(id.substr(dot + 1))) return false;
  const auto epoch = base::ParseNumber<base::Seconds>(id.substr(0, dot));
  if (!epoch || *epoch < 0) return false;
  const std::string_view flags = line.substr(colon + 1);
  const size_t hyphen = flags.find('-');
  if (hyphen == std::string_view::npos) return false;
  alert.id = id;
  alert.time = *epoch;
  alert.mail = flags.starts_with(" mail");
  std::string_view group = flags.substr(hyphen + 1);
  if (group.starts_with(' ')) group.remove_prefix(1);
  alert.rule.group = group;
  return true;
}

// "2024 May 07 10:11:12 gw1->/var/log/auth.log"
bool ParseWhere(std::string_view line, Alert& alert) {
  const size_t colon = line.find(':');
  const size_t blank = colon == std::string_view::npos ? colon : line.find(' ', colon);
  if (blank == std::string_view::npos || blank > kDateText + 1) return false;
  alert.location = line.substr(blank + 1);
  return true;
}

// "Rule: 5712 (level 10) -> 'SSHD brute force.'"
bool ParseRule(std::string_view line, Alert& alert) {
  constexpr std::string_view kLevel = " (level ";
  if (!line.starts_with(kRule)) return false;
  line.remove_prefix(kRule.size());
  const size_t level = line.find(kLevel);
  if (level == std::string_view::npos) return false;
  const size_t close = line.find(')', level);
  const size_t open_quote = line.find('\'', level);
  const size_t close_quote = line.rfind('\'');
  if (close == std::string_view::npos || open_quote == close_quote) return false;
  const size_t digits = level + kLevel.size();
  const auto id = base::ParseNumber<int>(line.substr(0, level));
  const auto number = base::ParseNumber<int>(line.substr(digits, close - digits));
  if (!id || !number) return false;
  alert.rule.id = *id;
  alert.rule.level = *number;
  alert.rule.comment = line.substr(open_quote + 1, close_quote - open_quote - 1);
  return true;
}

bool Take(std::string_view line, std::string_view label, std::string& value) {
  if (!line.starts_with(label)) return false;
  line.remove_prefix(label.size());
  if (line != kNone) value = line;
  return true;
}

bool TakeField(std::string_view line, Alert& alert) {
  return Take(line, kSrcIp, alert.srcip) || Take(line, kSrcLocation, alert.srcgeoip) ||
         Take(line, kSrcPort, alert.srcport) || Take(line, kDstIp, alert.dstip) ||
         Take(line, kDstLocation, alert.dstgeoip) || Take(line, kDstPort, alert.dstport) ||
         Take(line, kUser, alert.dstuser);
}

// The text between the first and the last quote of `text`, or all of it.
std::string_view Unquote(std::string_view text) {
  const size_t first = text.find('\'');
  const size_t last = text.rfind('\'');
  return first == last ? text : text.substr(first + 1, last - first - 1);
}

bool TakeQuoted(std::string_view line, std::string_view label, std::string& value) {
  if (!line.starts_with(label)) return false;
  value = Unquote(line.substr(label.size()));
  return true;
}

// "Ownership was '0', now it is '1000'"
bool TakeBoth(std::string_view line, std::string_view label, std::string& before,
              std::string& after) {
  constexpr std::string_view kNow = ", now it is ";
  if (!line.starts_with(label)) return false;
  line.remove_prefix(label.size());
  const size_t now = line.find(kNow);
  if (now == std::string_view::npos) return true;
  before = Unquote(line.substr(0, now));
  after = Unquote(line.substr(now + kNow.size()));
  return true;
}

void ParseIntegrity(const std::vector<std::string_view>& log_lines, FileChange& file) {
  if (log_lines.empty() || !log_lines[0].starts_with(kChangedFile)) return;
  std::string_view path = log_lines[0].substr(kChangedFile.size());
  if (path.ends_with('\'')) path.remove_suffix(1);
  file.path = path;
  for (const std::string_view line : log_lines) {
    if (line.starts_with(kDiffFollows)) return;
    TakeQuoted(line, kOldMd5, file.md5_before) || TakeQuoted(line, kNewMd5, file.md5_after) ||
        TakeQuoted(line, kOldSha1, file.sha1_before) ||
        TakeQuoted(line, kNewSha1, file.sha1_after) ||
        TakeQuoted(line, kOldSha256, file.sha256_before) ||
        TakeQuoted(line, kNewSha256, file.sha256_after) ||
        TakeBoth(line, kOwner, file.owner_before, file.owner_after) ||
        TakeBoth(line, kGroupOwner, file.gowner_before, file.gowner_after);
  }
}

// Where the next record may begin: behind a line that is none. 0: no whole line yet.
size_t NextRecord(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && !text.substr(at).starts_with(kRecordStart)) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return at;
}

}  // namespace

std::optional<Alert> ParseTextRecord(std::string_view text, size_t& consumed) {
  consumed = 0;
  if (!text.starts_with(kRecordStart)) {
    consumed = NextRecord(text);
    return std::nullopt;
  }
  const Extent extent = FindExtent(text);
  if (extent.kind == Extent::Kind::kIncomplete) return std::nullopt;
  consumed = extent.length;
  if (extent.kind == Extent::Kind::kTorn) return std::nullopt;

  Alert alert;
  const auto& lines = extent.lines;
  if (lines.size() <= kHeaderLines || !ParseHeader(lines[0], alert) ||
      !ParseWhere(lines[1], alert) || !ParseRule(lines[2], alert)) {
    return std::nullopt;
  }
  size_t first = kHeaderLines;
  while (first < lines.size() && TakeField(lines[first], alert)) ++first;
  const std::vector<std::string_view> log_lines(lines.begin() + static_cast<std::ptrdiff_t>(first),
                                                lines.end());
  for (size_t i = 0; i < log_lines.size(); ++i) {
    if (i > 0) alert.full_log += '\n';
    alert.full_log += log_lines[i];
  }
  if (alert.rule.group.find("syscheck") != std::string::npos) {
    ParseIntegrity(log_lines, alert.file);
  }
  return alert;
}

}  // namespace ospatrol::alert
