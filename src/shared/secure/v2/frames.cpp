#include "secure/v2/frames.h"

#include <algorithm>
#include <cstring>

#include "secure/v2/big_endian.h"

namespace ospatrol::secure::v2 {

namespace {

// Event numbers stay below this, so that sums of them never wrap.
constexpr uint64_t kMaxNumber = uint64_t{1} << 62;

std::string_view Cut(std::string_view text, size_t limit) { return text.substr(0, limit); }

}  // namespace

std::optional<FrameReader::Item> FrameReader::Next() {
  if (rest_.empty()) return std::nullopt;
  Cursor cursor(rest_);
  Item item;
  item.type = cursor.Number<uint8_t>();
  const auto length = cursor.Number<uint16_t>();
  item.content = cursor.Take(length);
  if (!cursor.ok()) {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
  }
  rest_ = cursor.rest();
  return item;
}

std::optional<EventsFrame> ParseEvents(Bytes content) {
  Cursor cursor(content);
  EventsFrame frame;
  frame.first = cursor.Number<uint64_t>();
  frame.count = cursor.Number<uint16_t>();
  const auto codec = cursor.Number<uint8_t>();
  frame.raw_length = cursor.Number<uint16_t>();
  frame.data = cursor.rest();
  if (!cursor.ok() || frame.first == 0 || frame.first >= kMaxNumber || frame.count == 0 ||
      frame.data.empty() || codec > static_cast<uint8_t>(Codec::kDeflate)) {
    return std::nullopt;
  }
  frame.codec = static_cast<Codec>(codec);
  return frame;
}

std::optional<PartFrame> ParsePart(Bytes content) {
  Cursor cursor(content);
  PartFrame frame;
  frame.number = cursor.Number<uint64_t>();
  frame.total = cursor.Number<uint32_t>();
  frame.offset = cursor.Number<uint32_t>();
  frame.bytes = cursor.rest();
  if (!cursor.ok() || frame.number == 0 || frame.number >= kMaxNumber || frame.bytes.empty() ||
      frame.total > kMaxEvent || frame.offset >= frame.total ||
      frame.bytes.size() > frame.total - frame.offset) {
    return std::nullopt;
  }
  return frame;
}

std::optional<AckFrame> ParseAck(Bytes content) {
  Cursor cursor(content);
  AckFrame frame;
  frame.stored = cursor.Number<uint64_t>();
  frame.largest = cursor.Number<uint64_t>();
  frame.delay_ms = cursor.Number<uint16_t>();
  frame.busy = (cursor.Number<uint8_t>() & 1) != 0;
  frame.count = cursor.Number<uint8_t>();
  if (!cursor.ok() || frame.count > AckFrame::kMaxRanges || frame.stored >= kMaxNumber) {
    return std::nullopt;
  }
  uint64_t span = 0;
  for (size_t i = 0; i < frame.count; ++i) {
    frame.ranges[i].missing = cursor.Number<uint16_t>();
    frame.ranges[i].received = cursor.Number<uint16_t>();
    span += uint64_t{frame.ranges[i].missing} + frame.ranges[i].received;
    if (frame.ranges[i].received == 0) return std::nullopt;
  }
  // Counting down from the largest packet must not pass packet 0.
  if (!cursor.ok() || !cursor.rest().empty() || (span > 0 && span - 1 > frame.largest)) {
    return std::nullopt;
  }
  return frame;
}

std::optional<ControlFrame> ParseControl(Bytes content) {
  Cursor cursor(content);
  ControlFrame frame;
  frame.number = cursor.Number<uint64_t>();
  frame.queued_ms = cursor.Number<int64_t>();
  frame.text = AsText(cursor.rest());
  if (!cursor.ok() || frame.text.empty() || frame.text.size() > ControlFrame::kMaxText) {
    return std::nullopt;
  }
  return frame;
}

std::optional<ControlAckFrame> ParseControlAck(Bytes content) {
  Cursor cursor(content);
  ControlAckFrame frame;
  frame.number = cursor.Number<uint64_t>();
  const auto result = cursor.Number<uint8_t>();
  frame.text = AsText(cursor.rest());
  if (!cursor.ok() || result > static_cast<uint8_t>(ControlResult::kFailed) ||
      frame.text.size() > ControlAckFrame::kMaxText) {
    return std::nullopt;
  }
  frame.result = static_cast<ControlResult>(result);
  return frame;
}

std::optional<FileFrame> ParseFile(Bytes content) {
  Cursor cursor(content);
  FileFrame frame;
  frame.transfer = cursor.Number<uint32_t>();
  frame.size = cursor.Number<uint64_t>();
  frame.offset = cursor.Number<uint64_t>();
  if (frame.offset == 0) {
    cursor.Fill(frame.sum);
    const auto name = cursor.Number<uint8_t>();
    frame.name = AsText(cursor.Take(name));
    if (!cursor.ok() || frame.name.empty() || frame.name.size() > FileFrame::kMaxName) {
      return std::nullopt;
    }
  }
  frame.bytes = cursor.rest();
  if (!cursor.ok() || frame.size >= kMaxNumber || frame.offset > frame.size ||
      frame.bytes.size() > frame.size - frame.offset) {
    return std::nullopt;
  }
  return frame;
}

std::optional<FileAckFrame> ParseFileAck(Bytes content) {
  Cursor cursor(content);
  FileAckFrame frame;
  frame.transfer = cursor.Number<uint32_t>();
  frame.received = cursor.Number<uint64_t>();
  const auto result = cursor.Number<uint8_t>();
  frame.text = AsText(cursor.rest());
  if (!cursor.ok() || result > static_cast<uint8_t>(FileResult::kFailed) ||
      frame.text.size() > FileAckFrame::kMaxText) {
    return std::nullopt;
  }
  frame.result = static_cast<FileResult>(result);
  return frame;
}

std::optional<StatusFrame> ParseStatus(Bytes content) {
  Cursor cursor(content);
  StatusFrame frame;
  frame.wall_ms = cursor.Number<uint64_t>();
  cursor.Fill(frame.merged_sum);
  cursor.Fill(frame.config_sum);
  frame.spool_bytes = cursor.Number<uint64_t>();
  frame.dropped = cursor.Number<uint64_t>();
  frame.round_trip_ms = cursor.Number<uint32_t>();
  frame.uname = AsText(cursor.rest());
  if (!cursor.ok() || frame.uname.size() > StatusFrame::kMaxText) return std::nullopt;
  return frame;
}

std::optional<PingCookie> ParsePing(Bytes content) {
  PingCookie cookie{};
  if (content.size() != cookie.size()) return std::nullopt;
  std::copy(content.begin(), content.end(), cookie.begin());
  return cookie;
}

std::optional<CloseFrame> ParseClose(Bytes content) {
  Cursor cursor(content);
  CloseFrame frame;
  frame.reason = cursor.Number<uint16_t>();
  frame.text = AsText(cursor.rest());
  if (!cursor.ok() || frame.text.size() > CloseFrame::kMaxText) return std::nullopt;
  return frame;
}

std::optional<GapFrame> ParseGap(Bytes content) {
  Cursor cursor(content);
  GapFrame frame;
  frame.first = cursor.Number<uint64_t>();
  frame.next = cursor.Number<uint64_t>();
  if (!cursor.ok() || !cursor.rest().empty() || frame.first == 0 || frame.next <= frame.first ||
      frame.next >= kMaxNumber) {
    return std::nullopt;
  }
  return frame;
}

bool FrameWriter::Begin(FrameType type, size_t content) {
  if (content > 0xFFFF || room() < kFrameHeaderSize + content) return false;
  Number(static_cast<uint8_t>(type));
  Number(static_cast<uint16_t>(content));
  return true;
}

void FrameWriter::Raw(Bytes bytes) {
  if (!bytes.empty()) std::memcpy(out_.data() + used_, bytes.data(), bytes.size());
  used_ += bytes.size();
}

template <typename Int>
void FrameWriter::Number(Int value) {
  PutNumber(out_.subspan(used_), value);
  used_ += sizeof(Int);
}

bool FrameWriter::Put(const EventsFrame& frame) {
  if (!Begin(FrameType::kEvents, EventsFrame::kHead + frame.data.size())) return false;
  Number(frame.first);
  Number(frame.count);
  Number(static_cast<uint8_t>(frame.codec));
  Number(frame.raw_length);
  Raw(frame.data);
  return true;
}

bool FrameWriter::Put(const PartFrame& frame) {
  if (!Begin(FrameType::kPart, PartFrame::kHead + frame.bytes.size())) return false;
  Number(frame.number);
  Number(frame.total);
  Number(frame.offset);
  Raw(frame.bytes);
  return true;
}

bool FrameWriter::Put(const AckFrame& frame) {
  if (!Begin(FrameType::kAck, AckFrame::kHead + size_t{4} * frame.count)) return false;
  Number(frame.stored);
  Number(frame.largest);
  Number(frame.delay_ms);
  Number(static_cast<uint8_t>(frame.busy ? 1 : 0));
  Number(frame.count);
  for (size_t i = 0; i < frame.count; ++i) {
    Number(frame.ranges[i].missing);
    Number(frame.ranges[i].received);
  }
  return true;
}

bool FrameWriter::Put(const ControlFrame& frame) {
  const std::string_view text = Cut(frame.text, ControlFrame::kMaxText);
  if (!Begin(FrameType::kControl, ControlFrame::kHead + text.size())) return false;
  Number(frame.number);
  Number(frame.queued_ms);
  Raw(AsBytes(text));
  return true;
}

bool FrameWriter::Put(const ControlAckFrame& frame) {
  const std::string_view text = Cut(frame.text, ControlAckFrame::kMaxText);
  if (!Begin(FrameType::kControlAck, ControlAckFrame::kHead + text.size())) return false;
  Number(frame.number);
  Number(static_cast<uint8_t>(frame.result));
  Raw(AsBytes(text));
  return true;
}

bool FrameWriter::Put(const FileFrame& frame) {
  const std::string_view name = Cut(frame.name, FileFrame::kMaxName);
  const size_t opening = frame.offset == 0 ? frame.sum.size() + 1 + name.size() : 0;
  if (!Begin(FrameType::kFile, FileFrame::kHead + opening + frame.bytes.size())) return false;
  Number(frame.transfer);
  Number(frame.size);
  Number(frame.offset);
  if (frame.offset == 0) {
    Raw(frame.sum);
    Number(static_cast<uint8_t>(name.size()));
    Raw(AsBytes(name));
  }
  Raw(frame.bytes);
  return true;
}

bool FrameWriter::Put(const FileAckFrame& frame) {
  const std::string_view text = Cut(frame.text, FileAckFrame::kMaxText);
  if (!Begin(FrameType::kFileAck, FileAckFrame::kHead + text.size())) return false;
  Number(frame.transfer);
  Number(frame.received);
  Number(static_cast<uint8_t>(frame.result));
  Raw(AsBytes(text));
  return true;
}

bool FrameWriter::Put(const StatusFrame& frame) {
  const std::string_view text = Cut(frame.uname, StatusFrame::kMaxText);
  if (!Begin(FrameType::kStatus, StatusFrame::kHead + text.size())) return false;
  Number(frame.wall_ms);
  Raw(frame.merged_sum);
  Raw(frame.config_sum);
  Number(frame.spool_bytes);
  Number(frame.dropped);
  Number(frame.round_trip_ms);
  Raw(AsBytes(text));
  return true;
}

bool FrameWriter::Put(const CloseFrame& frame) {
  const std::string_view text = Cut(frame.text, CloseFrame::kMaxText);
  if (!Begin(FrameType::kClose, CloseFrame::kHead + text.size())) return false;
  Number(frame.reason);
  Raw(AsBytes(text));
  return true;
}

bool FrameWriter::Put(const GapFrame& frame) {
  if (!Begin(FrameType::kGap, GapFrame::kHead)) return false;
  Number(frame.first);
  Number(frame.next);
  return true;
}

bool FrameWriter::PutPing(FrameType type, const PingCookie& cookie) {
  if (!Begin(type, cookie.size())) return false;
  Raw(cookie);
  return true;
}

void FrameWriter::PadTo(size_t size) {
  const size_t target = std::min(size, out_.size());
  if (target < used_ + kFrameHeaderSize) return;
  const size_t content = std::min<size_t>(target - used_ - kFrameHeaderSize, 0xFFFF);
  Begin(FrameType::kPad, content);
  std::memset(out_.data() + used_, 0, content);
  used_ += content;
}

}  // namespace ospatrol::secure::v2
