// Constant databases: the compiled form of lists (rules-and-decoders 5.1). Files compiled by OSSEC
// are read as they are, and files written here can be read there.
//
// A file is 256 pairs (position, slots) of 32-bit little-endian numbers, then records (key length,
// value length, key, value), then 256 hash tables of (hash, position). A look-up costs one hash and
// usually one comparison.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ospatrol::analysisd {

class Cdb {
 public:
  // Takes the bytes of a file. Nothing when the table of 2048 bytes at its beginning is damaged;
  // damage behind it makes look-ups miss, never read outside of `bytes`.
  static std::optional<Cdb> FromBytes(std::string bytes);

  // Value of the first record with that key. The view lives as long as this object.
  std::optional<std::string_view> Find(std::string_view key) const;

  // All records in file order; stops at the first damaged one.
  void ForEach(
      const std::function<void(std::string_view key, std::string_view value)>& visit) const;

  const std::string& bytes() const { return bytes_; }

 private:
  explicit Cdb(std::string bytes) : bytes_(std::move(bytes)) {}

  struct Record {
    std::string_view key, value;
    size_t end;
  };
  uint32_t Number(size_t position) const;
  std::optional<Record> ReadRecord(size_t position) const;

  std::string bytes_;
};

// Entries of a list's text in file order, duplicates included (5.1). A key in double quotes may
// contain colons:
// `"2001:db8::/32":value`; everything else is as OSSEC's makelists reads it.
void ForEachEntry(std::string_view text,
                  const std::function<void(std::string_view key, std::string_view value)>& visit);

// Compiles a text. Of equal keys the first is found. Nothing when the result would exceed 4 GiB.
std::optional<std::string> CompileCdb(std::string_view text);

}  // namespace ospatrol::analysisd
