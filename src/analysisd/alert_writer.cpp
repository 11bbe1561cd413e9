#include "analysisd/alert_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <vector>

#include "alert/alert_record.h"
#include "alert/json_record.h"
#include "alert/text_record.h"
#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

constexpr base::Seconds kDaySeconds = 86400;

constexpr std::array<DailyFileNames, kOutputFiles> kNames{{
    {alert::kTextFiles, GroupFile::RecordEnd::kEmptyLine},
    {alert::kJsonFiles},
    {alert::kSpoolFiles, GroupFile::RecordEnd::kEmptyLine},
    {{paths::kArchives, "ospatrol-archive", "log", "archives.log"}},
    {{paths::kArchives, "ospatrol-archive", "json", "archives.json"}},
    {{paths::kFirewall, "ospatrol-firewall", "log", "firewall.log"}},
}};

// A custom record ends in one line feed, whatever the standard one does.
DailyFileNames NamesOf(size_t which, bool custom) {
  DailyFileNames names = kNames[which];
  if (custom && which == 0) names.record_end = GroupFile::RecordEnd::kLineFeed;
  return names;
}

}  // namespace

AlertWriter::AlertWriter(const Home& home, WriterOptions options)
    : home_(home), options_(std::move(options)) {
  if (!options_.custom_format.empty()) custom_.emplace(options_.custom_format);
}

bool AlertWriter::IsWanted(OutputFile which) const {
  switch (which) {
    case OutputFile::kAlertsJson:
      return options_.alerts_json;
    case OutputFile::kSpool:
      return custom_.has_value();
    case OutputFile::kArchivesJson:
      return options_.archives_json;
    default:
      return true;
  }
}

void AlertWriter::OpenFiles(const Day& day) {
  for (size_t i = 0; i < kOutputFiles; ++i) {
    std::optional<DailyFile>& file = files_[i];
    if (!IsWanted(static_cast<OutputFile>(i))) {
      file.reset();
      continue;
    }
    if (file) {
      file->Open(day);
    } else {
      DailyFile fresh(home_, NamesOf(i, custom_.has_value()));
      fresh.Open(day);
      file.emplace(std::move(fresh));
    }
  }
}

void AlertWriter::Open(base::Seconds now) {
  const Day day = DayOf(now);
  OpenFiles(day);
  day_ = day;
  // No id comes twice on one day, however often we are started: the file has at least a byte for
  // each id.
  next_number_ = std::max({next_number_, files_[static_cast<size_t>(OutputFile::kAlerts)]->Size(),
                           NumberAfter(day), NumberAfter(base::AddDays(day, 1))});
  RemoveOldSpools(now);
}

// Numbers also rise over midnight, so they may be larger than the file; and after the clock was set
// back, the file of tomorrow has alerts of today.
uint64_t AlertWriter::NumberAfter(const Day& day) const {
  auto log = alert::DayLog::Open(home_, custom_ ? alert::kSpoolFiles : alert::kTextFiles, day);
  if (!log) return 0;
  const std::string id = FindEnd(alert::RecordForm::kText, *log).id;
  const size_t dot = id.find('.');
  if (dot == std::string::npos) return 0;
  return base::ParseNumber<uint64_t>(std::string_view(id).substr(dot + 1)).value_or(0) + 1;
}

void AlertWriter::SetOptions(WriterOptions options) {
  AlertWriter changed(home_, std::move(options));
  changed.OpenFiles(day_);
  options_ = std::move(changed.options_);
  custom_ = std::move(changed.custom_);
  files_ = std::move(changed.files_);
}

void AlertWriter::MakeAlert(alert::AlertView& alert, uint64_t number, RecordBatch& batch) const {
  const fmt::format_int time(alert.time), rank(number);
  std::array<char, 2 * sizeof(rank)> id;
  char* end = std::copy_n(time.data(), time.size(), id.data());
  *end++ = '.';
  end = std::copy_n(rank.data(), rank.size(), end);
  alert.id = {id.data(), end};
  if (custom_) {
    custom_->Append(alert, batch.Next(OutputFile::kAlerts));
    alert::AppendTextRecord(alert, batch.Next(OutputFile::kSpool));
  } else {
    alert::AppendTextRecord(alert, batch.Next(OutputFile::kAlerts));
  }
  if (!options_.geoip_in_json) alert.srcgeoip = alert.dstgeoip = {};
  if (options_.alerts_json) {
    alert::AppendJsonRecord(alert, batch.Next(OutputFile::kAlertsJson));
  }
  alert.id = {};
}

void AlertWriter::MakeArchive(const alert::AlertView& event, std::string_view log,
                              RecordBatch& batch) const {
  if (options_.archives) alert::AppendArchiveLine(event, batch.Next(OutputFile::kArchives));
  if (options_.archives_json) {
    alert::AppendJsonArchive(event, log, batch.Next(OutputFile::kArchivesJson));
  }
}

void AlertWriter::MakeFirewall(const alert::AlertView& event, RecordBatch& batch) const {
  alert::AppendFirewallLine(event, batch.Next(OutputFile::kFirewall));
}

uint64_t* AlertWriter::CounterOf(OutputFile which) {
  switch (which) {
    case OutputFile::kAlerts:
      return &counters_.alerts;
    case OutputFile::kArchives:
    case OutputFile::kArchivesJson:
      return &counters_.archives;
    case OutputFile::kFirewall:
      return &counters_.firewall;
    default:
      return nullptr;
  }
}

bool AlertWriter::Flush() {
  bool all = true;
  for (size_t i = 0; i < kOutputFiles; ++i) {
    const auto which = static_cast<OutputFile>(i);
    RecordBatch::Part& part = pending_.of(which);
    if (part.records == 0) continue;
    if (!files_[i]->Append(part.text)) {
      failure_ = {files_[i]->relative_path(), files_[i]->failure()};
      all = false;
      continue;
    }
    if (uint64_t* counter = CounterOf(which)) *counter += part.records;
    RecordBatch::Clear(part);
  }
  return all;
}

WriterCounters AlertWriter::pending_records() const {
  const auto waiting = [this](OutputFile which) { return pending_.of(which).records; };
  return {waiting(OutputFile::kAlerts),
          waiting(OutputFile::kArchives) + waiting(OutputFile::kArchivesJson),
          waiting(OutputFile::kFirewall)};
}

bool AlertWriter::IsNewDay(base::Seconds now) const {
  const Day day = DayOf(now);
  return day > day_ || DayOf(now + kDaySeconds) < day_;
}

void AlertWriter::StartDay(base::Seconds now) {
  const Day day = DayOf(now);
  OpenFiles(day);
  day_ = day;
  RemoveOldSpools(now);
}

void AlertWriter::ReopenDeleted() {
  for (std::optional<DailyFile>& file : files_) {
    if (file) file->ReopenIfGone();
  }
}

// Consumers catch up within spool_days; what is older is of no use. The newest spool_days files
// stay whatever the clock says: one that runs ahead must not remove what nobody has read.
void AlertWriter::RemoveOldSpools(base::Seconds now) const {
  if (!custom_) return;
  const std::string limit =
      base::FormatDay(base::AddDays(DayOf(now), -options_.spool_days)) + ".log";
  const std::filesystem::path tree = home_ / alert::kSpoolFiles.tree;
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(tree, error)) {
    std::string name = entry.path().filename().native();
    const bool dated = name.size() == limit.size() && base::IsDigit(name[0]) && name[4] == '-';
    if (dated) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end(), std::greater<>());
  for (auto i = static_cast<size_t>(options_.spool_days); i < names.size(); ++i) {
    if (names[i] < limit) std::filesystem::remove(tree / names[i], error);
  }
}

}  // namespace ospatrol::analysisd
