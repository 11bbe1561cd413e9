#include "logcollector/line_reader.h"

#include <algorithm>
#include <cstring>

namespace ospatrol::logcollector {
namespace {

constexpr std::string_view kUtf16LittleMark = "\xff\xfe";
constexpr std::string_view kUtf16BigMark = "\xfe\xff";
constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";

constexpr std::string_view kStateBytes = "";
constexpr std::string_view kStateLittle = "l";
constexpr std::string_view kStateBig = "b";
constexpr std::string_view kStateSkip = "s";
constexpr std::string_view kStateLittleSkip = "ls";
constexpr std::string_view kStateBigSkip = "bs";

constexpr uint32_t kReplacement = 0xfffd;

bool IsHighSurrogate(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool IsLowSurrogate(uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// UTF-8 that was cut anywhere, without the piece of a character at its end.
std::string_view WithoutBrokenEnd(std::string_view text) {
  size_t start = text.size();
  while (start > 0 && (static_cast<uint8_t>(text[start - 1]) & 0xc0) == 0x80) --start;
  if (start == 0) return text;
  const auto lead = static_cast<uint8_t>(text[start - 1]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return text.size() - (start - 1) < length ? text.substr(0, start - 1) : text;
}

bool CouldBecomeMark(std::string_view bytes) {
  return kUtf16LittleMark.starts_with(bytes) || kUtf16BigMark.starts_with(bytes) ||
         kUtf8Mark.starts_with(bytes);
}

}  // namespace

Start LineReader::StartAt(uint64_t offset, std::string_view head, bool inside) const {
  if (offset == 0) return {};
  Start start{offset, std::string(kStateBytes)};
  if (head.starts_with(kUtf16LittleMark) || head.starts_with(kUtf16BigMark)) {
    start.offset -= offset % 2;
    start.state = head.starts_with(kUtf16LittleMark) ? kStateLittle : kStateBig;
  }
  if (inside) start.state += kStateSkip;
  return start;
}

void LineReader::Resume(uint64_t offset, std::string_view state) {
  skipping_ = state.ends_with(kStateSkip);
  if (skipping_) state.remove_suffix(kStateSkip.size());
  if (state == kStateLittle) {
    encoding_ = Encoding::kUtf16Little;
  } else if (state == kStateBig) {
    encoding_ = Encoding::kUtf16Big;
  } else {
    encoding_ = offset == 0 ? Encoding::kUndecided : Encoding::kBytes;
  }
  block_.clear();
  position_ = 0;
  base_ = offset;
  line_.clear();
  total_ = 0;
  nul_run_ = false;
  flush_ = false;
  boundary_ = offset;
  boundary_state_ = StateNow();
}

void LineReader::Append(std::string_view bytes) {
  base_ += position_;
  block_.erase(0, position_);
  position_ = 0;
  block_ += bytes;
}

bool LineReader::Next(Record& record) {
  if (encoding_ == Encoding::kUndecided && !Decide()) return false;
  if (encoding_ == Encoding::kBytes ? NextOfBytes(record) : NextOfUtf16(record)) return true;
  if (flush_) {
    flush_ = false;
    // An over-long line goes on behind the cut: what follows is still skipped to its LF.
    const bool goes_on = skipping_ || total_ > kMaxLine;
    const bool sent = FinishCollected(record);
    skipping_ = goes_on;
    boundary_state_ = StateNow();
    record.state = boundary_state_;
    if (sent) return true;
  }
  if (position_ == block_.size() && block_.capacity() > kMaxLine) {
    base_ += position_;
    position_ = 0;
    block_ = std::string();  // an idle file keeps no block
  }
  return false;
}

void LineReader::Flush() { flush_ = HasPartial(); }

bool LineReader::Decide() {
  const std::string_view bytes(block_);
  if (bytes.size() < kUtf8Mark.size() && CouldBecomeMark(bytes)) {
    // Two bytes of a UTF-16 mark are enough; one byte, or two of a UTF-8 mark, are not.
    if (bytes != kUtf16LittleMark && bytes != kUtf16BigMark) return false;
  }
  encoding_ = Encoding::kBytes;
  if (bytes.starts_with(kUtf16LittleMark)) encoding_ = Encoding::kUtf16Little;
  if (bytes.starts_with(kUtf16BigMark)) encoding_ = Encoding::kUtf16Big;
  if (encoding_ != Encoding::kBytes) position_ = kUtf16LittleMark.size();
  if (bytes.starts_with(kUtf8Mark)) position_ = kUtf8Mark.size();
  if (position_ > 0) {
    boundary_ = consumed();
    boundary_state_ = StateNow();
  }
  return true;
}

bool LineReader::NextOfBytes(Record& record) {
  while (position_ < block_.size()) {
    const std::string_view rest = std::string_view(block_).substr(position_);
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      position_ = block_.size();
      if (!skipping_) Add(rest);
      return false;
    }
    position_ += end + 1;
    const std::string_view piece = rest.substr(0, end);
    if (skipping_) {
      skipping_ = false;
      boundary_ = consumed();
      boundary_state_ = StateNow();
    } else if (total_ == 0 && !piece.starts_with('\0')) {
      if (Finish(piece.substr(0, kMaxLine + 1), piece.size(), record)) return true;
    } else {
      Add(piece);
      if (FinishCollected(record)) return true;
    }
  }
  return false;
}

void LineReader::Add(std::string_view bytes) {
  if (bytes.empty()) return;
  if (total_ == 0) nul_run_ = true;
  if (nul_run_) {
    const size_t text = bytes.find_first_not_of('\0');
    if (text != std::string_view::npos) {
      nul_run_ = false;
      if (total_ + text > kMaxLine) {
        line_.clear();
        total_ = 0;
        bytes.remove_prefix(text);
      }
    }
  }
  line_ += bytes.substr(0, kMaxLine + 1 - line_.size());
  total_ += bytes.size();
}

bool LineReader::FinishCollected(Record& record) {
  const size_t total = total_;
  total_ = 0;
  // Only NULs up to the LF, and more of them than a line: the end of a hole.
  const bool hole = nul_run_ && total > kMaxLine;
  nul_run_ = false;
  text_.swap(line_);
  line_.clear();
  return Finish(hole ? std::string_view() : std::string_view(text_), hole ? 0 : total, record);
}

bool LineReader::Finish(std::string_view head, size_t total, Record& record) {
  boundary_ = consumed();
  boundary_state_ = StateNow();
  if (total == head.size()) {
    while (head.ends_with('\r')) head.remove_suffix(1);
  }
  record.cut = total > kMaxLine && head.size() > kMaxLine;
  head = head.substr(0, kMaxLine);
  if (record.cut && encoding_ != Encoding::kBytes) head = WithoutBrokenEnd(head);
  if (head.empty()) return false;
  if (head.find('\0') != std::string_view::npos || head.find('\r') != std::string_view::npos) {
    std::string clean(head);
    std::replace_if(
        clean.begin(), clean.end(), [](char c) { return c == '\0' || c == '\r'; }, ' ');
    text_ = std::move(clean);
    head = text_;
  }
  record.kind = ipc::Kind::kLog;
  record.text = head;
  record.end = boundary_;
  record.state = boundary_state_;
  record.whole_size = total;
  return true;
}

uint16_t LineReader::UnitAt(size_t position) const {
  const auto first = static_cast<uint8_t>(block_[position]);
  const auto second = static_cast<uint8_t>(block_[position + 1]);
  return encoding_ == Encoding::kUtf16Little ? static_cast<uint16_t>(second << 8 | first)
                                             : static_cast<uint16_t>(first << 8 | second);
}

bool LineReader::NextOfUtf16(Record& record) {
  while (block_.size() - position_ >= 2) {
    const uint32_t unit = UnitAt(position_);
    uint32_t code_point = unit;
    size_t used = 2;
    if (IsHighSurrogate(unit)) {
      if (block_.size() - position_ < 4) return false;
      const uint32_t low = UnitAt(position_ + 2);
      code_point = kReplacement;
      if (IsLowSurrogate(low)) {
        code_point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        used = 4;
      }
    } else if (IsLowSurrogate(unit)) {
      code_point = kReplacement;
    }
    position_ += used;
    if (code_point != '\n') {
      if (!skipping_) AddCodePoint(code_point);
    } else if (skipping_) {
      skipping_ = false;
      boundary_ = consumed();
      boundary_state_ = StateNow();
    } else if (FinishCollected(record)) {
      return true;
    }
  }
  return false;
}

void LineReader::AddCodePoint(uint32_t code_point) {
  char bytes[4];
  size_t size = 0;
  const auto put = [&](uint32_t byte) { bytes[size++] = static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | code_point >> 6);
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3f));
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
  Add(std::string_view(bytes, size));
}

std::string_view LineReader::StateNow() const {
  switch (encoding_) {
    case Encoding::kUtf16Little:
      return skipping_ ? kStateLittleSkip : kStateLittle;
    case Encoding::kUtf16Big:
      return skipping_ ? kStateBigSkip : kStateBig;
    default:
      return skipping_ ? kStateSkip : kStateBytes;
  }
}

}  // namespace ospatrol::logcollector
