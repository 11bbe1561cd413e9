// The records of a spool segment (wire-protocol 10.8), numbers big-endian:
//
//   length (4)  CRC-32C (4)  event number (8)  Unix time ms (8)  message
//
// The CRC is that of everything else of the record. Bit 31 of the length joins a record to the one
// behind it: a run of joined records is valid only with its last one, so that the events of a frame
// and the note of their sender's number are stored all or not at all. Records with event number 0
// are notes of the spool's own; their message begins with a letter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ipc/frame.h"

namespace ospatrol::agentd {

inline constexpr size_t kRecordHead = 24;                 // bytes in front of the message
inline constexpr size_t kMostRecordMessage = 128 * 1024;  // bytes; longer is damage
inline constexpr uint8_t kSpoolFormat = 1;

using SpoolId = std::array<uint8_t, 16>;

struct Record {
  uint64_t number = 0;  // 0: a note
  int64_t time_ms = 0;
  std::string_view message;
  bool joined = false;  // valid only together with the next record
};

// REQUIRES: the message has at most kMostRecordMessage bytes.
void AppendRecord(const Record& record, std::string& to);
inline size_t RecordSize(std::string_view message) { return kRecordHead + message.size(); }

enum class RecordFault { kIncomplete, kDamaged };

// The record at the beginning of `bytes`; its message is a view into them. kIncomplete: more bytes
// might make it valid.
std::variant<Record, RecordFault> ParseRecord(std::string_view bytes);

// What notes say.
struct SpoolHead {  // 'H': whose segment this is; from here on `id` is the spool's id
  SpoolId id{};
};
struct SenderNote {  // 'S': all events of `sender` up to `last` are in the spool
  ipc::SenderId sender{};
  uint64_t last = 0;
};
struct AcknowledgedNote {  // 'A': the receiver has all events up to `number`
  uint64_t number = 0;
};
// 'U': no receiver has confirmed yet that events from `number` on are unknown to it; 0: it has.
struct UncertainNote {
  uint64_t number = 0;
};

using Note = std::variant<SpoolHead, SenderNote, AcknowledgedNote, UncertainNote>;

std::string FormatNote(const Note& note);
// Nothing for what no version of this program writes.
std::optional<Note> ParseNote(std::string_view message);

}  // namespace ospatrol::agentd
