// Reads the records of one segment file in order, in blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agentd/spool_record.h"
#include "base/fd.h"

namespace ospatrol::agentd {

class SegmentReader {
 public:
  enum class Status {
    kRecord,
    kEnd,      // `limit` is reached
    kDamaged,  // the record at offset() is not valid within `limit`
    kFailed,   // the disk says no; errno says why
  };

  SegmentReader() = default;
  explicit SegmentReader(base::Fd file) : file_(std::move(file)) {}

  bool IsOpen() const { return file_.IsOpen(); }
  // The next record among the first `limit` bytes of the file. Its message is valid until the next
  // call of a non-const method. `limit` may grow from call to call.
  Status Next(uint64_t limit, Record& record);
  void Seek(uint64_t offset);
  uint64_t offset() const { return offset_; }  // of the record that comes next
  // Gives back memory that a long record took.
  void Trim();

 private:
  bool Fill(uint64_t limit);

  base::Fd file_;
  uint64_t offset_ = 0;
  std::string block_;
  uint64_t block_offset_ = 0;  // in the file
};

}  // namespace ospatrol::agentd
