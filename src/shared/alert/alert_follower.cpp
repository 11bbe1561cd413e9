#include "alert/alert_follower.h"

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/files.h"

namespace ospatrol::alert {
namespace {

constexpr size_t kChunk = 256 * 1024;
constexpr size_t kLagBytes = 4 * 1024 * 1024;
constexpr size_t kDaysRemembered = 400;
constexpr size_t kMaxIdLine = 128;  // longer than "** Alert ID:"

DailyNames NamesOf(AlertFollower::Source source) {
  switch (source) {
    case AlertFollower::Source::kSpool:
      return kSpoolFiles;
    case AlertFollower::Source::kJson:
      return kJsonFiles;
    case AlertFollower::Source::kText:
      break;
  }
  return kTextFiles;
}

RecordForm FormOf(AlertFollower::Source source) {
  return source == AlertFollower::Source::kJson ? RecordForm::kJson : RecordForm::kText;
}

}  // namespace

AlertFollower::AlertFollower(const Home& home, std::string_view name, const Options& options)
    : home_(home),
      options_(options),
      names_(NamesOf(options.source)),
      form_(FormOf(options.source)),
      store_(home, name) {}

// --- where to begin ---

void AlertFollower::Start(base::Seconds now) {
  const base::Day today = base::DayOf(now);
  const CursorStore::Loaded stored = store_.Load();
  if (!stored.exists || options_.max_replay_days == 0) {
    StartAtEnd(now);
    store_.Save(confirmed_);
    return;
  }
  if (!stored.cursor) {
    log::Write<msg::kCursorDamaged>(store_.path().native(), NameOf(today));
    confirmed_ = Cursor{today, {}, 0};
    Locate(confirmed_);
    store_.Save(confirmed_);
    return;
  }
  confirmed_ = *stored.cursor;
  const base::Day oldest = base::AddDays(today, -options_.max_replay_days);
  if (confirmed_.day < oldest) {
    log::Write<msg::kAlertsLeftOut>(NameOf(confirmed_.day), NameOf(base::AddDays(oldest, -1)),
                                    options_.max_replay_days);
    confirmed_ = Cursor{oldest, {}, 0};
  }
  Locate(confirmed_);
  RememberEnds(now);
}

// The present file is that of the link: shortly after midnight it may still be yesterday's.
void AlertFollower::StartAtEnd(base::Seconds now) {
  base::Day day = base::DayOf(now);
  if (!DayLog::Exists(home_, names_, day)) day = EarlierCurrentDay(now).value_or(day);
  GoTo(day, 0);
  confirmed_ = Cursor{day, {}, 0};
  taken_ = confirmed_;
  if (!OpenDay(day)) return;
  // A record that is just being written belongs to us: stand before it.
  const WrittenEnd end = FindEnd(form_, *log_);
  confirmed_.id = end.id;
  confirmed_.offset = end.end;
  last_begin_ = end.begin;
  taken_ = confirmed_;
  GoTo(day, confirmed_.offset);
}

bool AlertFollower::OpenDay(const base::Day& day) {
  log_ = DayLog::Open(home_, names_, day);
  if (log_) return true;
  if (errno != ENOENT) read_error_.Write(NameOf(day), base::ErrnoText(errno));
  return false;
}

void AlertFollower::GoTo(const base::Day& day, uint64_t offset) {
  if (day != day_) log_.reset();
  day_ = day;
  buffer_.clear();
  head_ = 0;
  base_ = offset;
  in_oversized_ = false;
  leaving_for_.reset();
}

void AlertFollower::Locate(const Cursor& cursor) {
  GoTo(cursor.day, cursor.offset);
  taken_ = cursor;
  log_.reset();
  if (!OpenDay(cursor.day) || StandsAt(cursor)) return;
  if (!cursor.id.empty() && ScanFor(cursor.id)) return;
  const bool all_of_it = cursor.offset == 0 && cursor.id.empty();
  GoTo(cursor.day, 0);
  taken_ = Cursor{cursor.day, {}, 0};
  if (!all_of_it) log::Write<msg::kCursorLost>(cursor.id, NameOf(cursor.day), 0);
}

// True when the record in front of the cursor is the one that it names.
bool AlertFollower::StandsAt(const Cursor& cursor) {
  if (cursor.id.empty()) return cursor.offset == 0 || cursor.offset <= log_->Size();
  for (uint64_t window = kMaxIdLine * 32;; window *= 8) {
    const uint64_t begin = cursor.offset - std::min(cursor.offset, window);
    const auto length = static_cast<size_t>(cursor.offset - begin);
    std::string text;
    while (text.size() < length) {
      if (log_->Read(begin + text.size(), length - text.size(), text) <= 0) return false;
    }
    const size_t at = FindLastRecord(form_, text, begin == 0);
    if (at == std::string::npos) {
      if (begin == 0 || window > kMaxRecord) return false;
      continue;
    }
    const FoundRecord found = FindRecord(form_, std::string_view(text).substr(at));
    if (found.kind != FoundRecord::Kind::kAlert || found.alert.id != cursor.id ||
        text.find_first_not_of('\n', at + found.length) != std::string::npos) {
      return false;
    }
    last_begin_ = begin + at;
    return true;
  }
}

// Reads the day from its beginning up to the alert of that id.
bool AlertFollower::ScanFor(const std::string& id) {
  GoTo(day_, 0);
  for (;;) {
    while (const auto found = Take()) {
      if (found->alert.id == id) return true;
    }
    if (!ReadMore()) return false;
  }
}

void AlertFollower::Rewind() { Locate(confirmed_); }

// The file is not what it was: shorter, another one, or with other content.
void AlertFollower::LocateAgain() { Locate(Cursor(taken_)); }

// Where older days end now is where they are left: all of them lies behind the cursor.
void AlertFollower::RememberEnds(base::Seconds now) {
  const base::Day today = base::DayOf(now);
  for (int back = 0; back <= options_.max_replay_days; ++back) {
    const base::Day day = base::AddDays(today, -back);
    if (day >= confirmed_.day) continue;
    std::error_code error;
    const uint64_t size = std::filesystem::file_size(home_ / DailyPath(names_, day), error);
    if (!error) left_at_[day] = size;
  }
}

// --- one alert after the other ---

std::optional<FollowedAlert> AlertFollower::Next(base::Seconds now) {
  for (;;) {
    if (auto found = Take()) return found;
    if (Fill(now) == Step::kEnd) return std::nullopt;
  }
}

std::optional<FollowedAlert> AlertFollower::Take() {
  while (head_ < buffer_.size()) {
    if (in_oversized_) {
      const size_t end = buffer_.find('\n', head_);
      if (end == std::string::npos) {
        Skip(Buffered().size());
        return std::nullopt;
      }
      Skip(end + 1 - head_);
      in_oversized_ = false;
      continue;
    }
    FoundRecord found = FindRecord(form_, Buffered());
    switch (found.kind) {
      case FoundRecord::Kind::kIncomplete:
        if (Buffered().size() > kMaxRecord) DropOversized();
        return std::nullopt;
      case FoundRecord::Kind::kBlank:
        Skip(found.length);
        continue;
      case FoundRecord::Kind::kBroken:
        SkipBroken(found.length);
        continue;
      case FoundRecord::Kind::kAlert:
        break;
    }
    FollowedAlert result;
    result.record = Buffered().substr(0, found.length);
    last_begin_ = Position();
    Skip(found.length);
    taken_ = Cursor{day_, found.alert.id, Position()};
    result.alert = std::move(found.alert);
    result.after = taken_;
    return result;
  }
  return std::nullopt;
}

void AlertFollower::Skip(size_t length) { head_ += length; }

void AlertFollower::SkipBroken(size_t length) {
  ++broken_;
  broken_warning_.Write(NameOf(day_), length, Position());
  Skip(length);
}

// What is in memory is given up, the rest of its line is skipped as it comes; further lines of that
// record are no record by themselves.
void AlertFollower::DropOversized() {
  SkipBroken(Buffered().size());
  in_oversized_ = true;
}

AlertFollower::Step AlertFollower::Fill(base::Seconds now) {
  if (!log_ && !OpenDay(day_)) return AtEnd(now);
  if (buffer_.size() == head_ && (log_->IsTruncated(Position()) || WasOverwritten())) {
    LocateAgain();
    return Step::kAgain;
  }
  return ReadMore() ? Step::kAgain : AtEnd(now);
}

bool AlertFollower::ReadMore() {
  buffer_.erase(0, head_);
  base_ += head_;
  head_ = 0;
  // A record that does not end in this chunk is searched again from its beginning: larger steps
  // keep that linear.
  const size_t step = std::max(kChunk, buffer_.size());
  const ssize_t got = log_->Read(base_ + buffer_.size(), step, buffer_);
  if (got < 0) read_error_.Write(NameOf(day_), base::ErrnoText(errno));
  return got > 0;
}

// True when the file was emptied and has grown beyond us again since the last alert.
bool AlertFollower::WasOverwritten() {
  if (taken_.id.empty() || taken_.day != day_ || taken_.offset > Position()) return false;
  if (!log_->current()) return false;  // packed: final
  std::string line;
  if (form_ == RecordForm::kText) {
    const std::string expected = "** Alert " + taken_.id + ":";
    log_->Read(last_begin_, expected.size(), line);
    return line != expected;
  }
  // The LF in front of us is enough: another line would end there by chance only.
  log_->Read(taken_.offset - 1, 1, line);
  return line != "\n";
}

// --- the end of a file ---

AlertFollower::Step AlertFollower::AtEnd(base::Seconds now) {
  // What is incomplete is read again from its beginning: its file may be cut and written anew.
  const size_t incomplete = Buffered().size();
  if (leaving_for_) {
    const base::Day next = *leaving_for_;
    if (incomplete > 0) SkipBroken(incomplete);
    LeaveFor(next);
    return Step::kAgain;
  }
  base_ = Position();
  buffer_.clear();
  head_ = 0;
  if (log_ && log_->IsReplaced()) {
    LocateAgain();
    return Step::kAgain;
  }
  const auto next = NextDay(now);
  if (!next) return Step::kEnd;
  if (!log_ && base_ > 0) log::Write<msg::kAlertDayMissing>(NameOf(day_));
  // Seen first, then the rest of the old file is read: nothing is added to that any more.
  leaving_for_ = next;
  if (!log_) LeaveFor(*next);
  return Step::kAgain;
}

std::optional<base::Day> AlertFollower::NextDay(base::Seconds now) const {
  const base::Day today = base::DayOf(now);
  if (!names_.link.empty() && log_) {
    const auto linked = IdentityOf(home_ / names_.tree / names_.link);
    if (linked && linked == log_->current()) return std::nullopt;
  }
  const base::Day oldest = base::AddDays(today, -std::max(options_.max_replay_days, 1));
  // One day of grace: the writer's clock may have been ahead for a moment.
  const base::Day newest = base::AddDays(today, 1);
  for (base::Day day = std::max(base::AddDays(day_, 1), oldest); day <= newest;
       day = base::AddDays(day, 1)) {
    if (DayLog::Exists(home_, names_, day)) return day;
  }
  const auto earlier = EarlierCurrentDay(now);
  return earlier && *earlier < day_ ? earlier : std::nullopt;
}

// The day of the file that is being written, when it can be told and is near `now`.
std::optional<base::Day> AlertFollower::EarlierCurrentDay(base::Seconds now) const {
  const base::Day today = base::DayOf(now);
  if (names_.link.empty()) {
    // Nothing says which file is written. The writer is never more than a day ahead.
    const bool ahead = base::DaysBetween(today, day_) > 1;
    if (ahead && DayLog::Exists(home_, names_, today)) return today;
    return std::nullopt;
  }
  const auto linked = IdentityOf(home_ / names_.tree / names_.link);
  if (!linked) return std::nullopt;
  for (const int days : {0, -1, 1}) {
    const base::Day day = base::AddDays(today, days);
    if (IdentityOf(home_ / DailyPath(names_, day)) == linked) return day;
  }
  return std::nullopt;
}

void AlertFollower::LeaveFor(const base::Day& day) {
  left_at_[day_] = Position();
  if (left_at_.size() > kDaysRemembered) left_at_.erase(left_at_.begin());
  const auto left = left_at_.find(day);
  const uint64_t offset = left == left_at_.end() ? 0 : left->second;
  if (day < day_) log::Write<msg::kAlertClockBack>(NameOf(day), offset);
  GoTo(day, offset);
  taken_ = Cursor{day, {}, offset};
  OpenDay(day);
}

// --- the cursor ---

bool AlertFollower::Confirm(const Cursor& after) {
  if (after == confirmed_) return true;
  try {
    store_.Save(after);
  } catch (const Error& error) {
    cursor_error_.Write(error.what());
    return false;
  }
  confirmed_ = after;
  return true;
}

Lag AlertFollower::MeasureLag(base::Seconds now) {
  Lag lag;
  base::Day day = confirmed_.day;
  uint64_t offset = confirmed_.offset;
  const base::Day newest = base::AddDays(base::DayOf(now), 1);
  size_t budget = kLagBytes;
  for (; day <= newest && !lag.more; day = base::AddDays(day, 1), offset = 0) {
    auto file = DayLog::Open(home_, names_, day);
    if (!file) continue;
    std::string text;
    size_t at = 0;
    while (file->Read(offset + text.size(), kChunk, text) > 0 && text.size() < budget) {
    }
    lag.more = text.size() >= budget;
    budget -= std::min(budget, text.size());
    for (;;) {
      const FoundRecord found = FindRecord(form_, std::string_view(text).substr(at));
      if (found.kind == FoundRecord::Kind::kIncomplete) break;
      at += found.length;
      if (found.kind != FoundRecord::Kind::kAlert) continue;
      if (lag.alerts++ == 0) lag.seconds = std::max<base::Seconds>(now - found.alert.time, 0);
    }
  }
  return lag;
}

}  // namespace ospatrol::alert
