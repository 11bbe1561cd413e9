#include "analysisd/cdb.h"

#include <array>
#include <limits>
#include <vector>

#include "base/text.h"

namespace ospatrol::analysisd {
namespace {

constexpr size_t kTables = 256;
constexpr size_t kHeaderBytes = kTables * 8;
constexpr size_t kMaxLine = 6142;

uint32_t Hash(std::string_view key) {
  uint32_t hash = 5381;
  for (const char c : key) hash = (hash * 33) ^ static_cast<unsigned char>(c);
  return hash;
}

void AppendNumber(std::string& out, uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift & 0xff);
}

void PutNumber(std::string& out, size_t position, uint32_t number) {
  for (size_t i = 0; i < 4; ++i) out[position + i] = static_cast<char>(number >> (8 * i) & 0xff);
}

std::string_view WithoutQuotes(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

// End of the line, carriage return, comment and blanks before the comment go.
std::string_view CleanLine(std::string_view line) {
  line = line.substr(0, line.find('\r'));
  const size_t comment = line.find("###");
  if (comment == std::string_view::npos) return line;
  line = line.substr(0, comment);
  const size_t last = line.find_last_not_of(" \t");
  return last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
}

using Visit = std::function<void(std::string_view, std::string_view)>;

void VisitLine(std::string_view line, const Visit& visit) {
  line = CleanLine(line);
  if (line.starts_with('"')) {
    const size_t close = line.find("\":", 1);
    if (close != std::string_view::npos) {
      visit(line.substr(1, close - 1), WithoutQuotes(line.substr(close + 2)));
      return;
    }
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  visit(line.substr(0, colon), line.substr(colon + 1));
}

struct Slot {
  uint32_t hash = 0;
  uint32_t position = 0;
};

// One table: twice as many slots as entries, linear probing, entries in file order.
std::vector<Slot> FillTable(const std::vector<Slot>& entries) {
  std::vector<Slot> slots(entries.size() * 2);
  for (const Slot& entry : entries) {
    size_t at = (entry.hash >> 8) % slots.size();
    while (slots[at].position != 0) at = (at + 1) % slots.size();
    slots[at] = entry;
  }
  return slots;
}

}  // namespace

uint32_t Cdb::Number(size_t position) const {
  uint32_t number = 0;
  for (size_t i = 4; i-- > 0;) {
    number = number << 8 | static_cast<unsigned char>(bytes_[position + i]);
  }
  return number;
}

std::optional<Cdb> Cdb::FromBytes(std::string bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  Cdb cdb(std::move(bytes));
  for (size_t i = 0; i < kTables; ++i) {
    const uint64_t begin = cdb.Number(i * 8);
    const uint64_t slots = cdb.Number(i * 8 + 4);
    if (begin + slots * 8 > cdb.bytes_.size()) return std::nullopt;
    if (slots > 0 && begin < kHeaderBytes) return std::nullopt;
  }
  return cdb;
}

std::optional<Cdb::Record> Cdb::ReadRecord(size_t position) const {
  if (position < kHeaderBytes || position + 8 > bytes_.size()) return std::nullopt;
  const uint64_t key_size = Number(position);
  const uint64_t value_size = Number(position + 4);
  const uint64_t begin = position + 8;
  if (begin + key_size + value_size > bytes_.size()) return std::nullopt;
  const std::string_view all = bytes_;
  return Record{all.substr(begin, key_size), all.substr(begin + key_size, value_size),
                begin + key_size + value_size};
}

std::optional<std::string_view> Cdb::Find(std::string_view key) const {
  const uint32_t hash = Hash(key);
  const size_t header = size_t{hash & 0xff} * 8;
  const size_t table = Number(header);
  const size_t slots = Number(header + 4);
  if (slots == 0) return std::nullopt;
  size_t at = (hash >> 8) % slots;
  for (size_t tried = 0; tried < slots; ++tried, at = (at + 1) % slots) {
    const size_t slot = table + at * 8;
    const uint32_t position = Number(slot + 4);
    if (position == 0) return std::nullopt;
    if (Number(slot) != hash) continue;
    const std::optional<Record> record = ReadRecord(position);
    if (record && record->key == key) return record->value;
  }
  return std::nullopt;
}

void Cdb::ForEach(const std::function<void(std::string_view, std::string_view)>& visit) const {
  // Records end where the first hash table begins.
  size_t end = bytes_.size();
  for (size_t i = 0; i < kTables; ++i) {
    const size_t begin = Number(i * 8);
    if (begin >= kHeaderBytes && begin < end) end = begin;
  }
  for (size_t position = kHeaderBytes; position < end;) {
    const std::optional<Record> record = ReadRecord(position);
    if (!record || record->end > end) return;
    visit(record->key, record->value);
    position = record->end;
  }
}

void ForEachEntry(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const size_t lf = text.find('\n');
    const std::string_view line = text.substr(0, lf);
    text = lf == std::string_view::npos ? std::string_view() : text.substr(lf + 1);
    if (line.size() <= kMaxLine) VisitLine(line, visit);
  }
}

std::optional<std::string> CompileCdb(std::string_view text) {
  std::string out(kHeaderBytes, '\0');
  std::array<std::vector<Slot>, kTables> tables;
  bool too_large = false;
  ForEachEntry(text, [&](std::string_view key, std::string_view value) {
    if (too_large ||
        out.size() + key.size() + value.size() + 8 > std::numeric_limits<uint32_t>::max()) {
      too_large = true;
      return;
    }
    const uint32_t hash = Hash(key);
    tables[hash & 0xff].push_back({hash, static_cast<uint32_t>(out.size())});
    AppendNumber(out, static_cast<uint32_t>(key.size()));
    AppendNumber(out, static_cast<uint32_t>(value.size()));
    out.append(key).append(value);
  });
  for (size_t i = 0; i < kTables && !too_large; ++i) {
    const std::vector<Slot> slots = tables[i].empty() ? std::vector<Slot>() : FillTable(tables[i]);
    too_large = out.size() + slots.size() * 8 > std::numeric_limits<uint32_t>::max();
    PutNumber(out, i * 8, static_cast<uint32_t>(out.size()));
    PutNumber(out, i * 8 + 4, static_cast<uint32_t>(slots.size()));
    for (const Slot& slot : slots) {
      AppendNumber(out, slot.hash);
      AppendNumber(out, slot.position);
    }
  }
  if (too_large) return std::nullopt;
  return out;
}

}  // namespace ospatrol::analysisd
