#include "logcollector/log_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/digest.h"
#include "base/files.h"
#include "logcollector/packed_files.h"

namespace ospatrol::logcollector {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;

std::string RotatedNotice(const std::string& path) {
  return fmt::format("ossec: File rotated (inode changed): '{}'.", path);
}

std::string ReducedNotice(const std::string& path) {
  return fmt::format("ossec: File size reduced (inode remained): '{}'.", path);
}

}  // namespace

LogSource::LogSource(std::string path, std::shared_ptr<const Entry> entry, PositionStore& store,
                     Notices& notices, FileWatcher& watcher, SourceHost& host)
    : path_(std::move(path)),
      entry_(std::move(entry)),
      store_(store),
      notices_(notices),
      watcher_(watcher),
      host_(host) {}

void LogSource::SetWanted(bool wanted, Clock::time_point now) {
  wanted_ = wanted;
  if (wanted_ || !current_) return;
  Retire(std::move(*current_), now);
  current_.reset();
}

void LogSource::Open(bool at_start, Clock::time_point now) {
  start_at_end_ = at_start;
  ResumeStoredGenerations(now);
  if (OpenPath(at_start, now) || reported_error_ != ENOENT) return;
  // Rotated away, and no new file yet.
  std::optional<StoredFile> row = LoadRows().current;
  auto found = row ? FindRenamed(path_, *row) : std::nullopt;
  if (!found || host_.ReaderOf(found->facts.identity, *this) != nullptr) return;
  current_ = Resume(std::move(found->fd), found->facts, std::move(*row));
}

LogSource::Stored LogSource::LoadRows() {
  Stored stored;
  for (StoredFile& row : store_.FindByPath(path_)) {
    if (row.phase == StoredFile::Phase::kRetired) stored.retired.push_back(std::move(row));
    // Ascending by id: the last current one is the present one.
    else if (row.phase == StoredFile::Phase::kCurrent)
      stored.current = std::move(row);
  }
  return stored;
}

void LogSource::ResumeStoredGenerations(Clock::time_point now) {
  for (StoredFile& row : LoadRows().retired) {
    auto found = FindRenamed(path_, row);
    if (!found) found = FindUnpacked(row);
    if (!found) {
      ReportGone(row);
      store_.Delete(row.id);
      continue;
    }
    if (host_.ReaderOf(found->facts.identity, *this) != nullptr) continue;
    auto generation = Resume(std::move(found->fd), found->facts, std::move(row));
    if (generation) Retire(std::move(*generation), now);
  }
}

bool LogSource::OpenPath(bool at_start, Clock::time_point now) {
  const auto seen = FactsOf(path_);
  if (!seen) {
    Missing(errno);
    return false;
  }
  // A device is never opened: that alone can have effects.
  if (seen->type == FileFacts::Type::kOther) {
    if (!std::exchange(reported_type_, true)) log::Write<msg::kNotALogFile>(path_);
    return false;
  }
  if (const LogSource* other = host_.ReaderOf(seen->identity, *this)) {
    if (reported_same_ != other) ReportSameFile(*other);
    reported_same_ = other;
    return false;
  }
  base::Fd fd = OpenLog(path_);
  const auto facts = fd ? FactsOf(fd.get()) : std::nullopt;
  if (!facts) {
    Missing(errno);
    return false;
  }
  if (facts->type == FileFacts::Type::kOther) return false;
  reported_error_ = 0;
  reported_type_ = false;
  reported_same_ = nullptr;
  if (facts->type == FileFacts::Type::kRegular) {
    return OpenRegular(std::move(fd), *facts, at_start, now);
  }
  if (!wanted_) return false;
  current_ = Make(std::move(fd), *facts, NewRow(-1, *facts, 0));
  log::Write<msg::kAnalyzingFile>(path_);
  return true;
}

// A pattern that also matches rotated files meets its own files again: nothing to correct there.
void LogSource::ReportSameFile(const LogSource& other) const {
  if (path_ == entry_->section.location && other.path() == other.entry().section.location) {
    log::Write<msg::kSameFile>(path_, other.path());
  } else {
    log::Debug(1, "'{}' is still being read as '{}'.", path_, other.path());
  }
}

bool LogSource::OpenRegular(base::Fd fd, const FileFacts& facts, bool at_start,
                            Clock::time_point now) {
  std::optional<StoredFile> row = LoadRows().current;
  if (row && !(row->identity.MayBe(facts.identity) && Continues(*row, fd.get(), facts))) {
    return StartOver(std::move(fd), facts, std::move(*row), now);
  }
  if (!row) row = Adopt(fd.get(), facts);
  if (row) {
    current_ = Resume(std::move(fd), facts, std::move(*row));
    if (!current_) return false;
    log::Write<msg::kAnalyzingFile>(path_);
    start_at_end_ = false;
    return true;
  }
  if (!wanted_) return false;
  const bool from_end = at_start && !entry_->section.read_from_beginning && !WasBornUnseen(facts);
  return StartFresh(std::move(fd), facts, from_end);
}

bool LogSource::WasBornUnseen(const FileFacts& facts) const {
  return entry_->seen_before && facts.identity.birth_ns / kNanoseconds >= *entry_->seen_before;
}

// The same content known under another name, by an earlier configuration or before a rotation.
std::optional<StoredFile> LogSource::Adopt(int fd, const FileFacts& facts) {
  for (StoredFile& row : store_.FindByInode(facts.identity.inode)) {
    if (row.head_length > 0 && row.identity.MayBe(facts.identity) && Continues(row, fd, facts)) {
      return std::move(row);
    }
  }
  return std::nullopt;
}

bool LogSource::StartFresh(base::Fd fd, const FileFacts& facts, bool from_end) {
  StoredFile row = NewRow(fd.get(), facts, from_end ? facts.size : 0);
  if (!store_.Insert(row)) return false;
  current_ = Make(std::move(fd), facts, std::move(row));
  start_at_end_ = false;
  log::Write<msg::kAnalyzingFile>(path_);
  return true;
}

std::optional<LogSource::Generation> LogSource::Resume(base::Fd fd, const FileFacts& facts,
                                                       StoredFile row) {
  const int64_t old_id = row.id;
  const uint64_t offset = row.position.offset;
  const bool too_much = facts.size - offset > kCatchUpLimit;
  const bool other_reader = row.reader != entry_->format->reader;
  const StoredFile::Phase phase = row.phase == StoredFile::Phase::kRetired
                                      ? StoredFile::Phase::kRetired
                                      : StoredFile::Phase::kCurrent;
  if (too_much || other_reader) {
    // The numbers can't go on: these are other events.
    row = NewRow(fd.get(), facts, too_much ? facts.size - kCatchUpLimit : offset, too_much);
  }
  row.path = path_;
  row.entry = entry_->section.location;
  row.phase = phase;
  const bool stored = store_.Atomically([&] {
    if (row.id != 0) return store_.Update(row);
    return store_.Delete(old_id) && store_.Insert(row);
  });
  if (!stored) return std::nullopt;
  if (too_much) {
    const uint64_t skipped = row.position.offset - offset;
    counters_->skipped_bytes += skipped;
    log::Write<msg::kBacklogSkipped>(path_, skipped, offset, row.position.offset,
                                     kCatchUpLimit >> 20);
  }
  log::Debug(1, "'{}': going on at offset {}, event {}.", path_, row.position.offset,
             row.position.number + 1);
  return Make(std::move(fd), facts, std::move(row));
}

std::optional<FoundFile> LogSource::FindOld(const StoredFile& old, bool truncated) const {
  auto found = truncated ? std::nullopt : FindRenamed(path_, old);
  if (!found) found = FindCopy(path_, old);
  if (!found) found = FindUnpacked(old);
  if (found && host_.ReaderOf(found->facts.identity, *this) != nullptr) found.reset();
  return found;
}

std::optional<FoundFile> LogSource::FindUnpacked(const StoredFile& old) const {
  auto found = FindPacked(path_, old, kCatchUpLimit);
  if (found) {
    log::Write<msg::kOldFileUnpacked>(path_, found->path.native(), old.position.offset);
  }
  return found;
}

// Nobody knows what was written after the last look.
void LogSource::ReportGone(const StoredFile& old) const {
  const std::string lost =
      old.partial == 0
          ? std::string("what was written behind that, if anything, is lost")
          : fmt::format("{} bytes behind that, and what was written later, are lost", old.partial);
  log::Write<msg::kOldFileGone>(path_, old.position.offset, lost);
}

// Something else stands under the path than when it was last read.
bool LogSource::StartOver(base::Fd fd, const FileFacts& facts, StoredFile old,
                          Clock::time_point now) {
  const bool truncated = old.identity.MayBe(facts.identity);
  const FileIdentity old_identity = old.identity;
  auto found = FindOld(old, truncated);
  StoredFile row = NewRow(fd.get(), facts, 0);
  const bool stored = store_.Atomically([&] {
    if (found) {
      old.identity = found->facts.identity;
      old.phase = StoredFile::Phase::kRetired;
      if (!store_.Update(old)) return false;
    } else if (!store_.Delete(old.id)) {
      return false;
    }
    if (!wanted_) return true;
    return store_.Insert(row) &&
           notices_.Add(Notices::kCollector,
                        truncated ? ReducedNotice(path_) : RotatedNotice(path_));
  });
  if (!stored) return false;
  if (!found) ReportGone(old);
  if (found) {
    auto generation = Resume(std::move(found->fd), found->facts, std::move(old));
    if (generation) Retire(std::move(*generation), now);
  }
  if (!wanted_) return false;
  if (!truncated) RetireAll(FindBetween(path_, old_identity, facts.identity), now);
  current_ = Make(std::move(fd), facts, std::move(row));
  start_at_end_ = false;
  log::Write<msg::kAnalyzingFile>(path_);
  return true;
}

bool LogSource::IsCalm(bool place_is_same, Clock::time_point now) {
  const bool was_missing = glance_.last() && glance_.last()->error == ENOENT && !dangling_;
  const Look look = place_is_same && was_missing ? *glance_.last() : LookAt(path_);
  if (!was_missing || !place_is_same) dangling_ = look.error == ENOENT && IsLink(path_);
  return glance_.IsSame(look, now) && NeedsNothing(look);
}

bool LogSource::NeedsNothing(const Look& look) const {
  if (!retired_.empty()) return false;
  if (!current_) return look.error != 0 && look.error == reported_error_;
  const LogFile& file = *current_->file;
  return consistent_ && current_->present_facts && !file.is_fifo() && look.error == 0 &&
         look.facts.identity.SameInode(file.identity()) && file.IsSettled() &&
         file.read_offset() == look.facts.size;
}

void LogSource::Check(Clock::time_point now) {
  consistent_ = false;
  const auto facts = FactsOf(path_);
  if (!facts) {
    if (!missing_since_) missing_since_ = now;
    Missing(errno);
    CloseIfDeleted(now);
    return;
  }
  missing_since_.reset();
  if (!current_) {
    if (wanted_ && !Promote(facts->identity, now)) OpenPath(start_at_end_, now);
    return;
  }
  if (facts->identity.SameInode(current_->file->identity())) {
    consistent_ = !current_->file->WasTruncated();
    if (!consistent_) Truncated(*current_, now);
    return;
  }
  if (Promote(facts->identity, now)) return;
  if (facts->type == FileFacts::Type::kOther) {
    if (!std::exchange(reported_type_, true)) log::Write<msg::kNotALogFile>(path_);
    return;
  }
  if (host_.ReaderOf(facts->identity, *this) != nullptr) {
    // A pattern that also matches rotated names: the one who had the file keeps it.
    SetWanted(false, now);
    wanted_ = true;
    return;
  }
  base::Fd fd = OpenLog(path_);
  const auto opened = fd ? FactsOf(fd.get()) : std::nullopt;
  if (!opened) {
    Missing(errno);
    return;
  }
  if (!opened->identity.SameInode(current_->file->identity())) Rotate(std::move(fd), *opened, now);
}

// A generation that was rotated away has got the path back.
bool LogSource::Promote(const FileIdentity& identity, Clock::time_point now) {
  const auto found = std::find_if(retired_.begin(), retired_.end(), [&](const Generation& g) {
    return !g.file->abandoned() && g.file->identity().SameInode(identity);
  });
  if (found == retired_.end()) return false;
  Generation generation = std::move(*found);
  retired_.erase(found);
  if (current_) Retire(std::move(*current_), now);
  generation.file->SetPhase(StoredFile::Phase::kCurrent);
  generation.file->Save(true);
  current_ = std::move(generation);
  host_.Wake(*this);
  return true;
}

void LogSource::Rotate(base::Fd fd, const FileFacts& facts, Clock::time_point now) {
  const bool regular = facts.type == FileFacts::Type::kRegular;
  auto adopted = regular ? Adopt(fd.get(), facts) : std::nullopt;
  StoredFile row = NewRow(regular ? fd.get() : -1, facts, 0);
  StoredFile old = current_->file->Snapshot();
  old.phase = StoredFile::Phase::kRetired;
  const bool stored = store_.Atomically([&] {
    if (old.id != 0 && !store_.Update(old)) return false;
    if (regular && !adopted && !store_.Insert(row)) return false;
    return notices_.Add(Notices::kCollector, RotatedNotice(path_));
  });
  if (!stored) return;
  const FileIdentity old_identity = old.identity;
  Retire(std::move(*current_), now);
  current_.reset();
  reported_error_ = 0;
  if (adopted) {
    current_ = Resume(std::move(fd), facts, std::move(*adopted));
    return;
  }
  RetireAll(FindBetween(path_, old_identity, facts.identity), now);
  current_ = Make(std::move(fd), facts, std::move(row));
}

// The inode is the same, the content is not.
void LogSource::Truncated(Generation& generation, Clock::time_point now) {
  LogFile& file = *generation.file;
  StoredFile reached = file.Snapshot();
  reached.position.offset = file.read_offset();
  auto copy = FindOld(reached, true);

  const bool is_current = current_ && &generation == &*current_;
  if (!is_current) {
    if (copy) {
      file.ContinueIn(std::move(copy->fd), copy->facts);
    } else {
      file.Abandon();
    }
    return;
  }
  base::Fd fd = OpenLog(path_);
  const auto facts = fd ? FactsOf(fd.get()) : std::nullopt;
  if (!facts || !facts->identity.SameInode(file.identity())) {
    // Truncated and then rotated away: the next check finds the new file.
    file.Abandon();
    return;
  }
  StoredFile row = NewRow(fd.get(), *facts, 0);
  StoredFile old = file.Snapshot();
  old.phase = StoredFile::Phase::kRetired;
  if (copy) old.identity = copy->facts.identity;
  const bool stored = store_.Atomically([&] {
    return store_.Update(old) && store_.Insert(row) &&
           notices_.Add(Notices::kCollector, ReducedNotice(path_));
  });
  if (!stored) return;
  if (copy) {
    file.ContinueIn(std::move(copy->fd), copy->facts);
  } else {
    file.Abandon();
  }
  Retire(std::move(generation), now);
  current_ = Make(std::move(fd), *facts, std::move(row));
}

void LogSource::CloseIfDeleted(Clock::time_point now) {
  if (!current_ || !current_->file->IsSettled()) return;
  if (now - current_->file->last_growth() < kLinger) return;
  const auto facts = FactsOf(current_->file->fd());
  if (!facts || facts->links > 0) return;
  current_->file->Save(true);
  current_.reset();
}

void LogSource::Missing(int error) {
  const bool absent = error == ENOENT || error == ENOTDIR;
  if (absent) start_at_end_ = false;
  if (error == reported_error_) return;
  reported_error_ = error;
  counters_->last_error = base::ErrnoText(error);
  if (!absent) {
    log::Write<msg::kCannotOpenFile>(path_, base::ErrnoText(error));
  } else if (!HasOpenFiles() && wanted_) {
    log::Write<msg::kFileNotAvailable>(path_);
  }
}

StoredFile LogSource::NewRow(int fd, const FileFacts& facts, uint64_t offset, bool inside) const {
  StoredFile row;
  row.path = path_;
  row.entry = entry_->section.location;
  row.reader = entry_->format->reader;
  row.sender = NewSenderId();
  row.identity = facts.identity;
  row.modified_ns = facts.modified_ns;
  if (fd < 0) return row;
  const std::string head = ReadHead(fd);
  row.head_length = head.size();
  row.head_digest = base::Sha256Hex(head);
  Start start = entry_->format->make(entry_->section)->StartAt(offset, head, inside);
  row.position.offset = start.offset;
  row.position.state = std::move(start.state);
  return row;
}

LogSource::Generation LogSource::Make(base::Fd fd, const FileFacts& facts, StoredFile row) {
  Generation generation;
  const int descriptor = fd.get();
  generation.present_facts = HasPresentFacts(descriptor);
  generation.file =
      std::make_shared<LogFile>(std::move(fd), facts, std::move(row),
                                entry_->format->make(entry_->section), store_, counters_);
  generation.watch =
      watcher_.WatchFile(descriptor, path_, [this](std::string_view, bool changed_place) {
        host_.Wake(*this);
        if (changed_place) host_.Recheck(*this);
      });
  host_.Wake(*this);
  return generation;
}

void LogSource::Retire(Generation generation, Clock::time_point now) {
  generation.retired_at = now;
  generation.drained = false;
  generation.file->SetPhase(StoredFile::Phase::kRetired);
  generation.file->Save();
  retired_.push_back(std::move(generation));
  host_.Wake(*this);
}

void LogSource::RetireAll(std::vector<FoundFile> files, Clock::time_point now) {
  for (FoundFile& found : files) {
    const FileIdentity& identity = found.facts.identity;
    if (IsReading(identity) || host_.ReaderOf(identity, *this) != nullptr) continue;
    if (Adopt(found.fd.get(), found.facts)) continue;  // read before, under another name
    StoredFile row = NewRow(found.fd.get(), found.facts, 0);
    row.phase = StoredFile::Phase::kRetired;
    if (!store_.Insert(row)) continue;
    log::Debug(1, "'{}': reading '{}' too, rotated before it was seen.", path_,
               found.path.native());
    Retire(Make(std::move(found.fd), found.facts, std::move(row)), now);
  }
}

LogFile::Turn LogSource::Read(Sink& sink, size_t budget, Clock::time_point now) {
  bool more = false;
  for (size_t i = 0; i < retired_.size(); ++i) {
    const LogFile::Turn turn = ReadGeneration(retired_[i], sink, budget, now);
    if (turn == LogFile::Turn::kBlocked) return turn;
    if (turn == LogFile::Turn::kMore) {
      // In order: what follows waits until the end of this one was seen once.
      if (!retired_[i].drained) return turn;
      more = true;
    }
    if (turn == LogFile::Turn::kFailed) retired_[i].file->Abandon();
  }
  if (!current_) return more ? LogFile::Turn::kMore : LogFile::Turn::kIdle;
  const LogFile::Turn turn = ReadGeneration(*current_, sink, budget, now);
  if (turn == LogFile::Turn::kFailed) {
    // Opened again, and resumed from the store, at the next look.
    current_->file->Save();
    current_.reset();
    return LogFile::Turn::kIdle;
  }
  return turn == LogFile::Turn::kIdle && more ? LogFile::Turn::kMore : turn;
}

LogFile::Turn LogSource::ReadGeneration(Generation& generation, Sink& sink, size_t budget,
                                        Clock::time_point now) {
  const bool is_current = current_ && &generation == &*current_;
  // Kept alive: handling a truncation replaces the generation.
  const std::shared_ptr<LogFile> file = generation.file;
  LogFile::Turn turn = file->Read(sink, budget, now);
  if (turn == LogFile::Turn::kTruncated) {
    consistent_ = false;
    Truncated(generation, now);
    const bool same = is_current && current_->file == file && !file->abandoned();
    return same ? LogFile::Turn::kIdle : LogFile::Turn::kMore;  // same: the store failed
  }
  if (turn == LogFile::Turn::kFailed) read_failures_.Write(path_, counters_->last_error);
  if (turn != LogFile::Turn::kIdle || is_current || generation.drained) return turn;
  generation.drained = true;
  file->FlushPartial();
  turn = file->Read(sink, budget, now);
  return turn == LogFile::Turn::kTruncated ? LogFile::Turn::kMore : turn;
}

bool LogSource::Tick(Clock::time_point now) {
  bool send = false;
  if (current_) send |= current_->file->FlushIfQuiet(now);
  for (const Generation& generation : retired_) send |= generation.file->FlushIfQuiet(now);
  std::erase_if(retired_, [&](Generation& g) { return FinishIfDone(g, now); });
  return send;
}

bool LogSource::HasPending() const {
  return !retired_.empty() || (current_ && current_->file->HasPending());
}

bool LogSource::FinishIfDone(Generation& generation, Clock::time_point now) {
  LogFile& file = *generation.file;
  if (!generation.drained || !file.IsSettled()) return false;
  const auto quiet_since = std::max(generation.retired_at, file.last_growth());
  if (!file.abandoned() && now - quiet_since < kLinger) return false;
  if (file.row().id == 0) return true;
  if (file.abandoned()) return store_.Delete(file.row().id);
  file.SetPhase(StoredFile::Phase::kDone);
  file.Save(true);
  return true;
}

uint64_t LogSource::BytesWaiting() const {
  uint64_t bytes = current_ ? current_->file->bytes_waiting() : 0;
  for (const Generation& generation : retired_) bytes += generation.file->bytes_waiting();
  return bytes;
}

void LogSource::Save(bool always) {
  for (const Generation& generation : retired_) generation.file->Save(always);
  if (current_) current_->file->Save(always);
}

bool LogSource::IsReading(const FileIdentity& identity) const {
  if (current_ && current_->file->identity().SameInode(identity)) return true;
  return std::any_of(retired_.begin(), retired_.end(), [&](const Generation& g) {
    return !g.file->abandoned() && g.file->identity().SameInode(identity);
  });
}

}  // namespace ospatrol::logcollector
