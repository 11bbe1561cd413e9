#include "agentd/segment_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <variant>

namespace ospatrol::agentd {
namespace {

constexpr size_t kBlock = 32 * 1024;
constexpr size_t kLongestRecord = kRecordHead + kMostRecordMessage;

}  // namespace

SegmentReader::Status SegmentReader::Next(uint64_t limit, Record& record) {
  if (offset_ >= limit) return Status::kEnd;
  for (;;) {
    std::string_view rest;
    if (offset_ >= block_offset_ && offset_ < block_offset_ + block_.size()) {
      rest = std::string_view(block_).substr(offset_ - block_offset_);
    }
    rest = rest.substr(0, std::min<uint64_t>(rest.size(), limit - offset_));
    const auto parsed = ParseRecord(rest);
    if (const auto* found = std::get_if<Record>(&parsed)) {
      record = *found;
      offset_ += RecordSize(record.message);
      return Status::kRecord;
    }
    const bool all_seen = rest.size() == limit - offset_ || rest.size() >= kLongestRecord;
    if (std::get<RecordFault>(parsed) == RecordFault::kDamaged || all_seen) {
      return Status::kDamaged;
    }
    const size_t had = rest.size();
    if (!Fill(limit)) return Status::kFailed;
    if (block_.size() <= had) return Status::kDamaged;  // the file is shorter than `limit`
  }
}

// Reads from offset_ on: a block, or, when a block did not suffice, the longest record.
bool SegmentReader::Fill(uint64_t limit) {
  const bool had_block = block_offset_ == offset_ && block_.size() >= kBlock;
  const size_t wanted = std::min<uint64_t>(had_block ? kLongestRecord : kBlock, limit - offset_);
  block_.resize(wanted);
  block_offset_ = offset_;
  size_t got = 0;
  while (got < wanted) {
    const ssize_t count =
        ::pread(file_.get(), block_.data() + got, wanted - got, static_cast<off_t>(offset_ + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      block_.clear();
      return false;
    }
    if (count == 0) break;
    got += static_cast<size_t>(count);
  }
  block_.resize(got);
  return true;
}

void SegmentReader::Seek(uint64_t offset) { offset_ = offset; }

void SegmentReader::Trim() {
  if (block_.capacity() <= kBlock) return;
  block_.clear();
  block_.shrink_to_fit();
}

}  // namespace ospatrol::agentd
