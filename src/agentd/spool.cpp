#include "agentd/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "base/time.h"
#include "log/log.h"

namespace ospatrol::agentd {
namespace {

constexpr std::string_view kSuffix = ".seg";
constexpr size_t kNameDigits = 16;
constexpr mode_t kMode = 0640;
constexpr uint64_t kLeastBytes = uint64_t{4} << 20;  // room for several of the largest batches
constexpr uint64_t kLargestSegment = uint64_t{8} << 20;
constexpr uint64_t kBetweenCheckpoints = 64 * 1024;
constexpr size_t kKeptScratch = 64 * 1024;
constexpr uint64_t kEnough = 16 * 1024;  // bytes on the disk, for the notes of a new segment
constexpr uint64_t kFewAhead = 64;  // events; skipping so many by reading is cheaper than a seek

std::optional<uint64_t> ParseName(const std::string& name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  uint64_t first = 0;
  const char* end = name.data() + kNameDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, first, 16);
  if (error != std::errc() || stop != end || first == 0) return std::nullopt;
  return first;
}

SpoolId NewSpoolId() {
  SpoolId id{};
  const std::string random = base::RandomBytes(id.size());
  std::memcpy(id.data(), random.data(), id.size());
  return id;
}

void AppendNote(const Note& note, int64_t time_ms, std::string& to) {
  AppendRecord({.number = 0, .time_ms = time_ms, .message = FormatNote(note)}, to);
}

bool SyncDirectory(const std::filesystem::path& directory) {
  const base::Fd opened = base::OpenFile(directory, O_RDONLY | O_DIRECTORY);
  return opened && ::fsync(opened.get()) == 0;
}

}  // namespace

Spool::Limits Spool::LimitsOf(uint64_t bytes, bool drop_oldest) {
  Limits limits;
  limits.bytes = std::max(bytes, kLeastBytes);
  limits.segment = std::min(kLargestSegment, limits.bytes / 4);
  limits.drop_oldest = drop_oldest;
  return limits;
}

Spool::Spool(std::filesystem::path directory, Limits limits, int64_t now_ms)
    : directory_(std::move(directory)), limits_(limits) {
  FindSegments();
  Recover(now_ms);
  if (segments_.empty()) {
    id_ = NewSpoolId();
    if (!BeginSegment(now_ms) || !Sync()) {
      throw log::Fatal<msg::kSpoolUnusable>(directory_.native(), base::ErrnoText(errno));
    }
  } else if (IsEmpty()) {
    TakeNewId(now_ms);
  }
  BeginUncertainty(now_ms);
}

// Two machines that give the same numbers under one id would lose each other's events. Where none
// waits to be recognised, a new id costs nothing.
void Spool::TakeNewId(int64_t now_ms) {
  const SpoolId id = NewSpoolId();
  if (WriteNote(SpoolHead{id}, now_ms)) id_ = id;
}

std::filesystem::path Spool::PathOf(const Segment& segment) const {
  return directory_ / fmt::format("{:016x}{}", segment.first, kSuffix);
}

// ---- opening ----

void Spool::FindSegments() {
  std::error_code error;
  for (std::filesystem::directory_iterator file(directory_, error), end; !error && file != end;
       file.increment(error)) {
    const auto first = ParseName(file->path().filename().native());
    std::error_code size_error;
    const uint64_t size = first ? file->file_size(size_error) : 0;
    if (first && !size_error)
      segments_.push_back({.first = *first, .size = size, .checkpoints = {}});
  }
  if (error) throw log::Fatal<msg::kSpoolUnusable>(directory_.native(), error.message());
  std::ranges::sort(segments_, {}, &Segment::first);
}

// The last segment with a head says everything. One without was being created when the machine
// stopped, or is damaged from its beginning.
void Spool::Recover(int64_t now_ms) {
  while (!segments_.empty()) {
    const Recovered found = ScanLast();
    next_ = std::max({next_, found.next, segments_.back().first});
    if (found.has_head) {
      Continue(found.valid_end);
      break;
    }
    log::Write<msg::kSpoolDamaged>(PathOf(segments_.back()).native(), 0);
    ::unlink(PathOf(segments_.back()).c_str());
    segments_.pop_back();
  }
  if (segments_.empty()) return;
  for (const Segment& segment : segments_) bytes_ += segment.size;
  acknowledged_ = std::clamp(acknowledged_, segments_.front().first - 1, next_ - 1);
  saved_acknowledged_ = acknowledged_;
  senders_.Forget(now_ms);
  DropAcknowledged();
}

Spool::Recovered Spool::ScanLast() {
  Segment& segment = segments_.back();
  SegmentReader reader(base::OpenFile(PathOf(segment), O_RDONLY));
  if (!reader.IsOpen()) {
    throw log::Fatal<msg::kSpoolUnusable>(PathOf(segment).native(), base::ErrnoText(errno));
  }
  Recovered found;
  Record record;
  uint64_t next = 0;  // by the run that is being read
  SegmentReader::Status status = SegmentReader::Status::kEnd;
  for (;;) {
    const uint64_t offset = reader.offset();
    status = reader.Next(segment.size, record);
    if (status != SegmentReader::Status::kRecord) break;
    if (record.number != 0) {
      NoteCheckpoint(segment, record.number, offset);
      next = std::max(next, record.number + 1);
    }
    if (record.joined) continue;
    if (record.number == 0) {
      const auto note = ParseNote(record.message);
      found.has_head = found.has_head || (note && std::holds_alternative<SpoolHead>(*note));
      TakeNote(record);
    }
    if (!found.has_head) break;
    found.next = next;
    found.valid_end = reader.offset();
  }
  if (status == SegmentReader::Status::kFailed) {
    throw log::Fatal<msg::kSpoolUnusable>(PathOf(segment).native(), base::ErrnoText(errno));
  }
  return found;
}

void Spool::TakeNote(const Record& record) {
  const auto note = ParseNote(record.message);
  if (!note) return;
  if (const auto* head = std::get_if<SpoolHead>(&*note)) id_ = head->id;
  if (const auto* sender = std::get_if<SenderNote>(&*note)) senders_.Set(*sender, record.time_ms);
  if (const auto* taken = std::get_if<AcknowledgedNote>(&*note)) {
    acknowledged_ = std::max(acknowledged_, taken->number);
  }
  if (const auto* uncertain = std::get_if<UncertainNote>(&*note)) uncertain_ = uncertain->number;
}

// The last segment is appended to behind its last complete run.
void Spool::Continue(uint64_t valid_end) {
  Segment& segment = segments_.back();
  active_ = base::OpenFile(PathOf(segment), O_RDWR);
  if (!active_) {
    throw log::Fatal<msg::kSpoolUnusable>(PathOf(segment).native(), base::ErrnoText(errno));
  }
  if (segment.size == valid_end) return;
  log::Write<msg::kSpoolDamaged>(PathOf(segment).native(), valid_end);
  if (::ftruncate(active_.get(), static_cast<off_t>(valid_end)) != 0) {
    throw log::Fatal<msg::kSpoolUnusable>(PathOf(segment).native(), base::ErrnoText(errno));
  }
  ShortenTo(segment, valid_end);
}

void Spool::BeginUncertainty(int64_t now_ms) {
  if (uncertain_ != 0) return;
  uncertain_ = next_;
  WriteNote(UncertainNote{uncertain_}, now_ms);
}

// ---- writing ----

std::string Spool::Snapshot(int64_t now_ms) const {
  std::string notes;
  AppendNote(SpoolHead{id_}, now_ms, notes);
  AppendNote(AcknowledgedNote{acknowledged_}, now_ms, notes);
  AppendNote(UncertainNote{uncertain_}, now_ms, notes);
  for (const auto& [sender, entry] : senders_.entries()) {
    AppendNote(SenderNote{sender, entry.last}, entry.seen_ms, notes);
  }
  return notes;
}

// A full disk has no room for the segment that would let the last one go: the end of that one makes
// it. REQUIRES: no event is needed. A crash before the next segment stands gives numbers a second
// time, which Reconcile() notices.
bool Spool::CutEnd() {
  Segment& segment = segments_.back();
  const auto at = std::ranges::find_if(
      segment.checkpoints.rbegin(), segment.checkpoints.rend(),
      [&](const Checkpoint& checkpoint) { return checkpoint.offset + kEnough <= segment.size; });
  if (at == segment.checkpoints.rend()) return false;
  const uint64_t end = at->offset;
  if (::ftruncate(active_.get(), static_cast<off_t>(end)) != 0) return false;
  bytes_ -= std::min(bytes_, segment.size - end);
  ShortenTo(segment, end);
  reader_ = SegmentReader();
  dirty_ = true;
  return true;
}

// The next event begins a new segment. False: the disk says no, and nothing has changed.
bool Spool::BeginSegment(int64_t now_ms) {
  if (!segments_.empty() && segments_.back().first == next_) return true;
  senders_.Forget(now_ms);
  if (active_ && dirty_ && ::fdatasync(active_.get()) != 0) return false;
  Segment segment{.first = next_, .size = 0, .checkpoints = {}};
  base::Fd file = base::OpenFile(PathOf(segment), O_RDWR | O_CREAT | O_TRUNC, kMode);
  if (!file) return false;
  const std::string notes = Snapshot(now_ms);
  if (!base::WriteAll(file.get(), notes)) {
    const int error = errno;
    ::unlink(PathOf(segment).c_str());
    errno = error;
    return false;
  }
  segment.size = notes.size();
  bytes_ += segment.size;
  segments_.push_back(std::move(segment));
  active_ = std::move(file);
  dirty_ = directory_dirty_ = true;
  saved_acknowledged_ = acknowledged_;
  return true;
}

// At the end of the last segment: all or nothing.
bool Spool::Write(std::string_view bytes) {
  Segment& segment = segments_.back();
  dirty_ = true;
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pwrite(active_.get(), bytes.data() + done, bytes.size() - done,
                                   static_cast<off_t>(segment.size + done));
    if (count > 0) {
      done += static_cast<size_t>(count);
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    const int error = count == 0 ? ENOSPC : errno;
    // What stays behind the end when this fails is overwritten, or found to be damage.
    if (::ftruncate(active_.get(), static_cast<off_t>(segment.size)) != 0) errno = error;
    errno = error;
    return false;
  }
  segment.size += bytes.size();
  bytes_ += bytes.size();
  return true;
}

bool Spool::WriteNote(const Note& note, int64_t now_ms) {
  std::string bytes;
  AppendNote(note, now_ms, bytes);
  return Write(bytes);
}

void Spool::ShortenTo(Segment& segment, uint64_t end) {
  segment.size = end;
  std::erase_if(segment.checkpoints,
                [end](const Checkpoint& checkpoint) { return checkpoint.offset >= end; });
}

void Spool::NoteCheckpoint(Segment& segment, uint64_t number, uint64_t offset) {
  const uint64_t last = segment.checkpoints.empty() ? 0 : segment.checkpoints.back().offset;
  if (offset >= last + kBetweenCheckpoints) segment.checkpoints.push_back({number, offset});
}

void Spool::Encode(std::span<const std::string_view> events, int64_t now_ms,
                   const std::optional<SenderNote>& mark) {
  scratch_.clear();
  uint64_t number = next_;
  for (const std::string_view event : events) {
    AppendRecord({.number = number++,
                  .time_ms = now_ms,
                  .message = event.substr(0, kMostRecordMessage),
                  .joined = mark.has_value()},
                 scratch_);
  }
  if (mark) AppendNote(*mark, now_ms, scratch_);
}

Spool::Outcome Spool::Append(std::span<const std::string_view> events, int64_t now_ms,
                             const std::optional<SenderNote>& mark) {
  Encode(events, now_ms, mark);
  if (!MakeRoom(scratch_.size(), now_ms)) return Outcome::kFull;
  const Outcome outcome = StoreEncoded(events.size(), now_ms);
  if (outcome == Outcome::kStored && mark) senders_.Set(*mark, now_ms);
  return outcome;
}

Spool::Outcome Spool::AppendBeyondLimit(std::string_view event, int64_t now_ms) {
  Encode(std::span(&event, 1), now_ms, std::nullopt);
  return StoreEncoded(1, now_ms);
}

Spool::Outcome Spool::StoreEncoded(size_t events, int64_t now_ms) {
  const bool fits = segments_.back().size + scratch_.size() <= limits_.segment;
  disk_full_ = !(fits || BeginSegment(now_ms));
  if (disk_full_) return Outcome::kFailed;
  const uint64_t offset = segments_.back().size;
  disk_full_ = !Write(scratch_);
  if (disk_full_) return Outcome::kFailed;
  if (events > 0) NoteCheckpoint(segments_.back(), next_, offset);
  next_ += events;
  if (scratch_.capacity() > kKeptScratch) std::string().swap(scratch_);
  return Outcome::kStored;
}

// ---- leaving ----

bool Spool::MakeRoom(uint64_t bytes, int64_t now_ms) {
  while (bytes_ + bytes > limits_.bytes) {
    if (!limits_.drop_oldest) return false;
    if (segments_.size() == 1 && (segments_.back().first == next_ || !BeginSegment(now_ms))) {
      return false;
    }
    const uint64_t last = segments_[1].first - 1;
    if (last > acknowledged_) {
      dropped_ += last - acknowledged_;
      acknowledged_ = last;
    }
    DropFront();
  }
  return true;
}

// What later segments know must be on the disk before an earlier one goes.
void Spool::DropFront() {
  Sync();
  if (reader_segment_ == segments_.front().first) reader_ = SegmentReader();
  ::unlink(PathOf(segments_.front()).c_str());
  bytes_ -= std::min(bytes_, segments_.front().size);
  segments_.pop_front();
}

void Spool::DropAcknowledged() {
  while (segments_.size() > 1 && segments_[1].first <= acknowledged_ + 1) DropFront();
}

void Spool::Acknowledge(uint64_t number) {
  number = std::min(number, next_ - 1);
  if (number <= acknowledged_) return;
  acknowledged_ = number;
  DropAcknowledged();
}

bool Spool::SaveAcknowledged(int64_t now_ms) {
  // A large segment of which nothing is needed gives its place back; so does any on a full disk.
  const bool worth_it = segments_.back().size > limits_.segment / 8 || disk_full_;
  if (IsEmpty() && worth_it && (BeginSegment(now_ms) || (CutEnd() && BeginSegment(now_ms)))) {
    DropAcknowledged();
  }
  if (saved_acknowledged_ == acknowledged_) return true;
  if (!WriteNote(AcknowledgedNote{acknowledged_}, now_ms)) return false;
  saved_acknowledged_ = acknowledged_;
  return true;
}

bool Spool::Reconcile(uint64_t stored, int64_t now_ms) {
  if (stored >= next_ || (uncertain_ != 0 && stored >= uncertain_)) {
    Renew(now_ms);
    return false;
  }
  Acknowledge(stored);
  Confirm(now_ms);
  return true;
}

void Spool::Renew(int64_t now_ms) {
  // Those before the uncertain ones are as the receiver saw them.
  if (uncertain_ != 0) Acknowledge(uncertain_ - 1);
  log::Write<msg::kSpoolSetBack>();
  id_ = NewSpoolId();
  WriteNote(SpoolHead{id_}, now_ms);
  uncertain_ = 1;  // to be cleared
  Confirm(now_ms);
}

void Spool::Confirm(int64_t now_ms) {
  if (uncertain_ == 0) return;
  uncertain_ = 0;
  WriteNote(UncertainNote{0}, now_ms);
  Sync();
}

bool Spool::Sync() {
  if (dirty_ && ::fdatasync(active_.get()) != 0) return false;
  dirty_ = false;
  if (directory_dirty_ && !SyncDirectory(directory_)) return false;
  directory_dirty_ = false;
  return true;
}

// ---- reading ----

size_t Spool::SegmentOf(uint64_t number) const {
  const auto behind = std::ranges::upper_bound(segments_, number, {}, &Segment::first);
  return behind == segments_.begin() ? 0 : static_cast<size_t>(behind - segments_.begin()) - 1;
}

bool Spool::PlaceReader(Segment& segment, uint64_t number) {
  const bool here = reader_.IsOpen() && reader_segment_ == segment.first;
  if (here && number >= reader_next_ && number - reader_next_ <= kFewAhead) return true;
  if (!here) {
    reader_ = SegmentReader(base::OpenFile(PathOf(segment), O_RDONLY));
    reader_segment_ = segment.first;
  }
  const auto behind =
      std::ranges::upper_bound(segment.checkpoints, number, {}, &Checkpoint::number);
  const bool at_begin = behind == segment.checkpoints.begin();
  reader_.Seek(at_begin ? 0 : std::prev(behind)->offset);
  reader_next_ = at_begin ? segment.first : std::prev(behind)->number;
  return reader_.IsOpen();
}

std::optional<Spool::Event> Spool::ReadIn(size_t index, uint64_t number) {
  Segment& segment = segments_[index];
  if (segment.size == 0) return std::nullopt;  // its file was lost, and that was told
  if (!PlaceReader(segment, number)) {
    EndAtDamage(index);
    return std::nullopt;
  }
  for (;;) {
    const uint64_t offset = reader_.offset();
    Record record;
    const SegmentReader::Status status = reader_.Next(segment.size, record);
    if (status == SegmentReader::Status::kEnd) return std::nullopt;
    if (status != SegmentReader::Status::kRecord) {
      EndAtDamage(index);
      return std::nullopt;
    }
    if (record.number == 0) continue;
    NoteCheckpoint(segment, record.number, offset);
    reader_next_ = record.number + 1;
    if (record.number >= number) return Event{record.number, record.time_ms, record.message};
  }
}

// The segment ends where its reader stands; what was behind is lost.
void Spool::EndAtDamage(size_t index) {
  const bool last = index + 1 == segments_.size();
  Segment& segment = segments_[index];
  log::Write<msg::kSpoolDamaged>(PathOf(segment).native(), reader_.offset());
  damaged_ += (last ? next_ : segments_[index + 1].first) - reader_next_;
  const uint64_t end = std::min(segment.size, reader_.offset());
  bytes_ -= std::min(bytes_, segment.size - end);
  ShortenTo(segment, end);
  if (last) BeginSegment(base::WallNowMilliseconds());
}

std::optional<Spool::Event> Spool::Read(uint64_t number) {
  number = std::max(number, segments_.front().first);
  while (number < next_) {
    const size_t index = SegmentOf(number);
    if (auto event = ReadIn(index, number)) return event;
    if (index + 1 >= segments_.size()) return std::nullopt;
    number = segments_[index + 1].first;
  }
  return std::nullopt;
}

void Spool::TrimMemory() { reader_.Trim(); }

}  // namespace ospatrol::agentd
