// What DATA carries behind its header, once opened: frames of type (1), length (2), content;
// big-endian. Unknown types are skipped, so that a later version can add some.
//
//   00 PAD          ignored
//   01 EVENTS       first event number (8), count (2), codec (1), raw length (2), data; batch.h
//   02 PART         event number (8), total length (4), offset (4), bytes of an event larger than a
//   datagram 03 ACK          stored event number (8), largest packet number (8), delay ms (2),
//   flags (1: bit 0 busy), n (1),
//                   n x (missing (2), received (2)) counting downwards from the largest packet
//   04 CONTROL      number (8), when queued (8, ms since this session began at the manager,
//   signed), text 05 CONTROL-ACK  number (8), result (1), text 06 FILE         transfer (4), total
//   size (8), offset (8), at offset 0: SHA-256 (32), name length (1), name; bytes 07 FILE-ACK
//   transfer (4), bytes received without gap (8), result (1), text 08 STATUS       Unix ms (8),
//   SHA-256 of merged.mg (32) and of agent.conf (32), bytes in spool (8), events dropped
//                   since start (8), round trip ms (4), uname text
//   09 PING         8 bytes that PONG (0A) gives back
//   0B CLOSE        reason (2), text
//   0C GAP          first (8), next (8): the agent has none of the events first .. next-1 any more
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "secure/v2/header.h"

namespace ospatrol::secure::v2 {

enum class FrameType : uint8_t {
  kPad = 0,
  kEvents = 1,
  kPart = 2,
  kAck = 3,
  kControl = 4,
  kControlAck = 5,
  kFile = 6,
  kFileAck = 7,
  kStatus = 8,
  kPing = 9,
  kPong = 10,
  kClose = 11,
  kGap = 12,
};

enum class Codec : uint8_t { kNone = 0, kDeflate = 1 };  // 2 is reserved for zstd with a dictionary

struct EventsFrame {
  static constexpr size_t kHead = 13;
  uint64_t first = 0;
  uint16_t count = 0;
  Codec codec = Codec::kNone;
  uint16_t raw_length = 0;
  Bytes data;
};

struct PartFrame {
  static constexpr size_t kHead = 16;
  uint64_t number = 0;
  uint32_t total = 0;
  uint32_t offset = 0;
  Bytes bytes;
};

struct AckFrame {
  struct Range {
    uint16_t missing = 0;
    uint16_t received = 0;
  };
  static constexpr size_t kHead = 20;
  static constexpr size_t kMaxRanges = 64;
  uint64_t stored = 0;
  uint64_t largest = 0;
  uint16_t delay_ms = 0;
  bool busy = false;  // the analysis queue is full: send no events until an ACK without it
  uint8_t count = 0;
  std::array<Range, kMaxRanges> ranges{};
};

enum class ControlResult : uint8_t { kDone = 0, kRefused = 1, kFailed = 2 };

struct ControlFrame {
  static constexpr size_t kHead = 16;
  static constexpr size_t kMaxText = 1024;
  uint64_t number = 0;  // random
  int64_t queued_ms = 0;
  std::string_view text;  // as behind "#!-" in version 1
};

struct ControlAckFrame {
  static constexpr size_t kHead = 9;
  static constexpr size_t kMaxText = 200;
  uint64_t number = 0;
  ControlResult result = ControlResult::kDone;
  std::string_view text;
};

using FileSum = std::array<uint8_t, 32>;  // SHA-256

struct FileFrame {
  static constexpr size_t kHead = 20;
  static constexpr size_t kMaxName = 128;
  uint32_t transfer = 0;
  uint64_t size = 0;
  uint64_t offset = 0;
  FileSum sum{};          // at offset 0 only
  std::string_view name;  // at offset 0 only
  Bytes bytes;
};

enum class FileResult : uint8_t {
  kGoesOn = 0,
  kDone = 1,
  kRefused = 2,
  kWrongSum = 3,
  kFailed = 4
};

struct FileAckFrame {
  static constexpr size_t kHead = 13;
  static constexpr size_t kMaxText = 200;
  uint32_t transfer = 0;
  uint64_t received = 0;  // bytes without gap
  FileResult result = FileResult::kGoesOn;
  std::string_view text;
};

struct StatusFrame {
  static constexpr size_t kHead = 92;
  static constexpr size_t kMaxText = 510;
  uint64_t wall_ms = 0;
  FileSum merged_sum{};  // zero: no such file
  FileSum config_sum{};
  uint64_t spool_bytes = 0;
  uint64_t dropped = 0;
  uint32_t round_trip_ms = 0;
  std::string_view uname;
};

using PingCookie = std::array<uint8_t, 8>;

enum class CloseReason : uint16_t { kStop = 0, kRestart = 1, kKeyRemoved = 2, kRekey = 3 };

struct CloseFrame {
  static constexpr size_t kHead = 2;
  static constexpr size_t kMaxText = 200;
  uint16_t reason = 0;
  std::string_view text;
};

struct GapFrame {
  static constexpr size_t kHead = 16;
  uint64_t first = 0;
  uint64_t next = 0;  // > first
};

// Walks over the frames of an opened packet. Views look into the packet.
class FrameReader {
 public:
  struct Item {
    uint8_t type = 0;
    Bytes content;
  };
  explicit FrameReader(Bytes frames) : rest_(frames) {}

  // The next frame; empty at the end, or when a length does not fit: then malformed().
  std::optional<Item> Next();
  bool malformed() const { return malformed_; }

 private:
  Bytes rest_;
  bool malformed_ = false;
};

// Empty when the content breaks a limit of the frame: too short, too long, numbers that cannot be.
std::optional<EventsFrame> ParseEvents(Bytes content);
std::optional<PartFrame> ParsePart(Bytes content);
std::optional<AckFrame> ParseAck(Bytes content);
std::optional<ControlFrame> ParseControl(Bytes content);
std::optional<ControlAckFrame> ParseControlAck(Bytes content);
std::optional<FileFrame> ParseFile(Bytes content);
std::optional<FileAckFrame> ParseFileAck(Bytes content);
std::optional<StatusFrame> ParseStatus(Bytes content);
std::optional<PingCookie> ParsePing(Bytes content);
std::optional<CloseFrame> ParseClose(Bytes content);
std::optional<GapFrame> ParseGap(Bytes content);

// Appends frames to a buffer of fixed size. Every Put is false, and changes nothing, when there is
// no room. Texts above the limit of their frame are cut.
class FrameWriter {
 public:
  explicit FrameWriter(MutableBytes out) : out_(out) {}

  size_t size() const { return used_; }
  size_t room() const { return out_.size() - used_; }
  Bytes written() const { return out_.first(used_); }

  bool Put(const EventsFrame& frame);
  bool Put(const PartFrame& frame);
  bool Put(const AckFrame& frame);
  bool Put(const ControlFrame& frame);
  bool Put(const ControlAckFrame& frame);
  bool Put(const FileFrame& frame);
  bool Put(const FileAckFrame& frame);
  bool Put(const StatusFrame& frame);
  bool Put(const CloseFrame& frame);
  bool Put(const GapFrame& frame);
  bool PutPing(FrameType type, const PingCookie& cookie);
  void PadTo(size_t size);  // with PAD; does nothing when fewer than 3 bytes are missing

 private:
  bool Begin(FrameType type, size_t content);
  void Raw(Bytes bytes);
  template <typename Int>
  void Number(Int value);

  MutableBytes out_;
  size_t used_ = 0;
};

}  // namespace ospatrol::secure::v2
