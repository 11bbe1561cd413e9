#include "agentd/spool_record.h"

#include <algorithm>
#include <cstring>

#include "agentd/crc32c.h"

namespace ospatrol::agentd {
namespace {

constexpr uint32_t kJoined = 0x80000000;
constexpr size_t kLengthSize = 4;
constexpr size_t kBehindCrc = 8;                     // offset of what follows the CRC
constexpr uint64_t kLastNumber = uint64_t{1} << 62;  // nobody counts so far
constexpr size_t kIdSize = 16;
constexpr size_t kNumberSize = 8;

template <typename Int>
void AppendNumber(Int value, std::string& to) {
  for (size_t i = sizeof(Int); i-- > 0;) to.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

template <typename Int>
Int ParseNumber(std::string_view bytes) {
  Int value = 0;
  for (const char c : bytes.substr(0, sizeof(Int))) {
    value = static_cast<Int>((value << 8) | static_cast<unsigned char>(c));
  }
  return value;
}

uint32_t Checksum(std::string_view length, std::string_view behind_crc) {
  return Crc32c(behind_crc, Crc32c(length));
}

template <size_t N>
std::array<uint8_t, N> ToId(std::string_view bytes) {
  std::array<uint8_t, N> id{};
  std::memcpy(id.data(), bytes.data(), std::min(bytes.size(), N));
  return id;
}

template <size_t N>
std::string_view Bytes(const std::array<uint8_t, N>& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

struct NoteFormatter {
  std::string operator()(const SpoolHead& note) const {
    return std::string("H") + static_cast<char>(kSpoolFormat) + std::string(Bytes(note.id));
  }
  std::string operator()(const SenderNote& note) const {
    return WithNumber("S" + std::string(Bytes(note.sender)), note.last);
  }
  std::string operator()(const AcknowledgedNote& note) const {
    return WithNumber("A", note.number);
  }
  std::string operator()(const UncertainNote& note) const { return WithNumber("U", note.number); }

 private:
  static std::string WithNumber(std::string text, uint64_t number) {
    AppendNumber(number, text);
    return text;
  }
};

}  // namespace

void AppendRecord(const Record& record, std::string& to) {
  const size_t begin = to.size();
  to.reserve(begin + RecordSize(record.message));
  AppendNumber(static_cast<uint32_t>(record.message.size()) | (record.joined ? kJoined : 0), to);
  AppendNumber(uint32_t{0}, to);
  AppendNumber(record.number, to);
  AppendNumber(static_cast<uint64_t>(record.time_ms), to);
  to.append(record.message);
  const std::string_view bytes = std::string_view(to).substr(begin);
  const uint32_t crc = Checksum(bytes.substr(0, kLengthSize), bytes.substr(kBehindCrc));
  std::string field;
  AppendNumber(crc, field);
  to.replace(begin + kLengthSize, field.size(), field);
}

std::variant<Record, RecordFault> ParseRecord(std::string_view bytes) {
  if (bytes.size() < kRecordHead) return RecordFault::kIncomplete;
  const auto field = ParseNumber<uint32_t>(bytes);
  const size_t length = field & ~kJoined;
  if (length > kMostRecordMessage) return RecordFault::kDamaged;
  if (bytes.size() < kRecordHead + length) return RecordFault::kIncomplete;
  bytes = bytes.substr(0, kRecordHead + length);
  const uint32_t crc = Checksum(bytes.substr(0, kLengthSize), bytes.substr(kBehindCrc));
  if (crc != ParseNumber<uint32_t>(bytes.substr(kLengthSize))) return RecordFault::kDamaged;
  Record record;
  record.number = ParseNumber<uint64_t>(bytes.substr(kBehindCrc));
  if (record.number > kLastNumber) return RecordFault::kDamaged;
  record.time_ms = static_cast<int64_t>(ParseNumber<uint64_t>(bytes.substr(kBehindCrc + 8)));
  record.message = bytes.substr(kRecordHead);
  record.joined = (field & kJoined) != 0;
  return record;
}

std::string FormatNote(const Note& note) { return std::visit(NoteFormatter{}, note); }

std::optional<Note> ParseNote(std::string_view message) {
  if (message.empty()) return std::nullopt;
  const std::string_view rest = message.substr(1);
  switch (message.front()) {
    case 'H':
      if (rest.size() != 1 + kIdSize || static_cast<uint8_t>(rest.front()) != kSpoolFormat) break;
      return SpoolHead{ToId<kIdSize>(rest.substr(1))};
    case 'S':
      if (rest.size() != kIdSize + kNumberSize) break;
      return SenderNote{ToId<kIdSize>(rest.substr(0, kIdSize)),
                        ParseNumber<uint64_t>(rest.substr(kIdSize))};
    case 'A':
      if (rest.size() != kNumberSize) break;
      return AcknowledgedNote{ParseNumber<uint64_t>(rest)};
    case 'U':
      if (rest.size() != kNumberSize) break;
      return UncertainNote{ParseNumber<uint64_t>(rest)};
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace ospatrol::agentd
