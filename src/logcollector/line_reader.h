// The line formats (`syslog` and its synonyms): one line, one event
// (collection-and-integrity 2.6.1).
//
// * A line ends at LF. CR before it is dropped; any other CR and every NUL becomes a space. Empty
// lines give no event.
// * A line longer than kMaxLine is cut there and the rest, to the next LF, is skipped.
// * A file that begins with a UTF-16 byte order mark is decoded to UTF-8; a UTF-8 mark is dropped.
// * A run of more than kMaxLine NULs at the beginning of a line is dropped: it is the hole that a
// writer without
//   O_APPEND leaves when its file is truncated under it.
//
// Cost: one memchr for the line end and three passes of memchr speed over each line; no copy while
// a line lies in one block. Memory: the block given to Append, plus one line.
#pragma once

#include <string>

#include "logcollector/record_reader.h"

namespace ospatrol::logcollector {

class LineReader final : public RecordReader {
 public:
  // Bytes of one event's text. The wire would carry more; rules written for the reference expect
  // this.
  static constexpr size_t kMaxLine = 5887;

  Start StartAt(uint64_t offset, std::string_view head, bool inside) const override;
  void Resume(uint64_t offset, std::string_view state) override;
  void Append(std::string_view bytes) override;
  bool Next(Record& record) override;
  bool HasPartial() const override { return total_ > 0 && !skipping_ && !nul_run_; }
  void Flush() override;
  uint64_t consumed() const override { return base_ + position_; }
  uint64_t boundary() const override { return boundary_; }
  std::string_view boundary_state() const override { return boundary_state_; }

 private:
  enum class Encoding { kUndecided, kBytes, kUtf16Little, kUtf16Big };

  bool Decide();
  bool NextOfBytes(Record& record);
  bool NextOfUtf16(Record& record);

  void Add(std::string_view bytes);
  void AddCodePoint(uint32_t code_point);
  // Ends the line whose first bytes are `head`. False when there is nothing to send.
  bool Finish(std::string_view head, size_t total, Record& record);
  bool FinishCollected(Record& record);
  std::string_view StateNow() const;
  uint16_t UnitAt(size_t position) const;

  Encoding encoding_ = Encoding::kUndecided;
  std::string block_;  // bytes not yet consumed, from position_ on
  size_t position_ = 0;
  uint64_t base_ = 0;  // file offset of block_[0]

  std::string line_;      // the line so far, at most kMaxLine + 1 bytes
  size_t total_ = 0;      // bytes of the line so far, also those not kept
  bool nul_run_ = false;  // the line so far is NULs only
  bool skipping_ = false;
  bool flush_ = false;
  std::string text_;  // the text of the last record, when it had to be changed

  uint64_t boundary_ = 0;
  std::string_view boundary_state_;
};

}  // namespace ospatrol::logcollector
