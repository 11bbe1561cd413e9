#include "logcollector/log_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/digest.h"
#include "base/files.h"
#include "ipc/queue_message.h"

namespace ospatrol::logcollector {
namespace {

constexpr size_t kLoggedOfLargeMessage = 4095;

ssize_t ReadSome(int fd, bool fifo, char* to, size_t size, uint64_t offset) {
  ssize_t got = 0;
  do {
    got = fifo ? ::read(fd, to, size) : ::pread(fd, to, size, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return got;
}

// The receiver refuses ".." steps in a location.
std::string LocationOf(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().native();
}

}  // namespace

LogFile::LogFile(base::Fd fd, const FileFacts& facts, StoredFile row,
                 std::unique_ptr<RecordReader> reader, PositionStore& store,
                 std::shared_ptr<Counters> counters)
    : fd_(std::move(fd)),
      row_(std::move(row)),
      reader_(std::move(reader)),
      store_(store),
      counters_(std::move(counters)),
      fifo_(facts.type == FileFacts::Type::kFifo),
      prefix_(ipc::FormatQueueMessage(ipc::Kind::kLog, LocationOf(row_.path), {})),
      read_offset_(row_.position.offset),
      number_(row_.position.number),
      last_growth_(Clock::now()) {
  row_.identity = facts.identity;
  row_.modified_ns = facts.modified_ns;
  if (!fifo_) head_ = ReadHead(fd_.get());
  reader_->Resume(row_.position.offset, row_.position.state);
}

LogFile::Turn LogFile::Read(Sink& sink, size_t budget, Clock::time_point now) {
  idle_ = false;
  for (;;) {
    if (!Drain(sink)) return Turn::kBlocked;
    if (abandoned_) break;
    if (budget == 0) return Turn::kMore;
    const uint64_t before = read_offset_;
    const Turn turn = ReadBlock(std::min(budget, kBlock), now);
    if (turn == Turn::kIdle) break;
    if (turn != Turn::kMore) return turn;
    budget -= std::min<uint64_t>(budget, read_offset_ - before);
  }
  idle_ = true;
  return Turn::kIdle;
}

// kMore: something was read. kIdle: nothing there.
LogFile::Turn LogFile::ReadBlock(size_t budget, Clock::time_point now) {
  std::array<char, kBlock> block;
  const ssize_t got =
      ReadSome(fd_.get(), fifo_, block.data(), BytesToNextCut(budget), read_offset_);
  if (got < 0) {
    if (errno == EAGAIN) return Turn::kIdle;
    counters_->last_error = base::ErrnoText(errno);
    return Turn::kFailed;
  }
  // The check comes after the read: when it passes, the block was of the content that we know.
  if (!fifo_ && WasTruncated()) return Turn::kTruncated;
  if (got == 0) return Turn::kIdle;

  const std::string_view bytes(block.data(), static_cast<size_t>(got));
  RememberHead(bytes);
  reader_->Append(bytes);
  read_offset_ += bytes.size();
  counters_->bytes += bytes.size();
  last_growth_ = now;
  changed_ = true;
  return Turn::kMore;
}

size_t LogFile::BytesToNextCut(size_t limit) const {
  const auto cut = std::upper_bound(row_.cuts.begin(), row_.cuts.end(), read_offset_);
  if (cut == row_.cuts.end()) return limit;
  return static_cast<size_t>(std::min<uint64_t>(limit, *cut - read_offset_));
}

void LogFile::RememberHead(std::string_view bytes) {
  if (fifo_ || head_.size() >= kHeadSize || read_offset_ > head_.size()) return;
  const bool first = head_.empty();
  const size_t known = head_.size() - read_offset_;
  if (bytes.size() <= known) return;
  head_ += bytes.substr(known, kHeadSize - head_.size());
  // From now on a restart can tell this content from another one with the same inode.
  if (first) Save(true);
}

bool LogFile::WasTruncated() {
  if (fifo_ || abandoned_) return false;
  const auto facts = FactsOf(fd_.get());
  if (!facts) return false;
  if (facts->size < read_offset_ || ReadHead(fd_.get(), head_.size()) != head_) return true;
  row_.modified_ns = facts->modified_ns;
  return false;
}

bool LogFile::Drain(Sink& sink) {
  for (;;) {
    if (!OfferPending(sink)) return false;
    Record record;
    while (reader_->Next(record)) {
      if (!OfferNext(sink, record)) return false;
    }
    const uint64_t consumed = reader_->consumed();
    while (next_cut_ < row_.cuts.size() && row_.cuts[next_cut_] < consumed) ++next_cut_;
    if (next_cut_ == row_.cuts.size() || row_.cuts[next_cut_] != consumed) return true;
    ++next_cut_;
    reader_->Flush();
  }
}

bool LogFile::OfferNext(Sink& sink, const Record& record) {
  if (record.kind != prefix_kind_) {
    prefix_kind_ = record.kind;
    prefix_ = ipc::FormatQueueMessage(record.kind, LocationOf(row_.path), {});
  }
  if (record.cut) {
    ++counters_->cut_lines;
    large_.Write(record.whole_size, record.text.substr(0, kLoggedOfLargeMessage));
  }
  message_ = prefix_;
  message_ += record.text.substr(0, ipc::kMaxMessage - std::min(prefix_.size(), ipc::kMaxMessage));
  // Counted first: a sink without answers says Taken at once.
  ++number_;
  ++counters_->lines;
  Position after{record.end, number_, std::string(record.state)};
  if (sink.Offer(shared_from_this(), row_.sender, after, message_)) return true;
  pending_ = Pending{std::move(after), message_};
  return false;
}

bool LogFile::OfferPending(Sink& sink) {
  if (!pending_) return true;
  // Moved out first, because Taken may be said inside Offer.
  Pending pending = std::move(*pending_);
  pending_.reset();
  if (sink.Offer(shared_from_this(), row_.sender, pending.after, pending.message)) return true;
  pending_ = std::move(pending);
  return false;
}

void LogFile::FlushPartial() {
  if (!reader_->HasPartial()) return;
  const uint64_t cut = reader_->consumed();
  if (row_.id != 0 && !store_.AddCut(row_.id, cut)) return;
  row_.cuts.push_back(cut);
}

bool LogFile::FlushIfQuiet(Clock::time_point now) {
  if (!idle_ || !reader_->HasPartial() || now - last_growth_ < kQuiet) return false;
  FlushPartial();
  return true;
}

void LogFile::ContinueIn(base::Fd fd, const FileFacts& facts) {
  fd_ = std::move(fd);
  row_.identity = facts.identity;
  row_.modified_ns = facts.modified_ns;
  abandoned_ = false;
  changed_ = true;
}

uint64_t LogFile::bytes_waiting() const {
  if (fifo_ || abandoned_) return 0;
  const auto facts = FactsOf(fd_.get());
  return facts && facts->size > read_offset_ ? facts->size - read_offset_ : 0;
}

bool LogFile::IsSettled() const {
  return idle_ && !pending_ && number_ == row_.position.number && !reader_->HasPartial();
}

void LogFile::Taken(const Position& position) {
  if (position.number <= row_.position.number) return;
  row_.position = position;
  changed_ = true;
  const auto passed = std::upper_bound(
      row_.cuts.begin(), row_.cuts.begin() + static_cast<ptrdiff_t>(next_cut_), position.offset);
  next_cut_ -= static_cast<size_t>(passed - row_.cuts.begin());
  row_.cuts.erase(row_.cuts.begin(), passed);
}

void LogFile::Rewind() {
  const uint64_t unanswered = number_ - row_.position.number - (pending_ ? 1 : 0);
  if (!CanReadAgain()) {
    if (unanswered == 0) return;
    counters_->lost_lines += unanswered;
    log::Write<msg::kLinesLost>(row_.path, unanswered,
                                "the receiver is gone and the file cannot be read again");
    row_.position.number += unanswered;
    return;
  }
  changed_ = true;
  pending_.reset();
  counters_->lines -= std::min(counters_->lines, number_ - row_.position.number);
  number_ = row_.position.number;
  read_offset_ = row_.position.offset;
  next_cut_ = 0;
  reader_->Resume(row_.position.offset, row_.position.state);
}

// Behind the last acknowledged event there may be empty lines: nothing to read them again for.
Position LogFile::SafePosition() const {
  if (pending_ || number_ != row_.position.number) return row_.position;
  return {reader_->boundary(), number_, std::string(reader_->boundary_state())};
}

StoredFile LogFile::Snapshot() const {
  StoredFile row = row_;
  row.position = SafePosition();
  row.partial = read_offset_ - std::min(read_offset_, row.position.offset);
  if (row.head_length != head_.size()) {
    row.head_length = head_.size();
    row.head_digest = base::Sha256Hex(head_);
  }
  return row;
}

void LogFile::Save(bool always) {
  if (row_.id == 0 || !(changed_ || always)) return;
  const StoredFile row = Snapshot();
  if (!store_.Update(row)) return;
  row_.head_length = row.head_length;
  row_.head_digest = row.head_digest;
  changed_ = false;
}

}  // namespace ospatrol::logcollector
