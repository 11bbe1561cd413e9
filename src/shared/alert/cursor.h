// How far one consumer has got in the alert log, on disk: queue/cursor/NAME
// (outputs-and-response 13.1).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/day.h"
#include "product/paths.h"

namespace ospatrol::alert {

inline constexpr std::string_view kCursors = "queue/cursor";

struct Cursor {
  base::Day day;        // whose file it stands in
  std::string id;       // of the last finished alert; empty: none yet in that file
  uint64_t offset = 0;  // behind that alert, in bytes of the day's text, parts joined, unpacked
  bool operator==(const Cursor&) const = default;
};

// "v1 2024-05-07 1715076700.42 8813" LF; '-' stands for an empty id.
std::string FormatCursor(const Cursor& cursor);
// Nothing unless `line` is such a line, with or without LF.
std::optional<Cursor> ParseCursor(std::string_view line);

// Gives each consumer of one configuration a file name of its own.
class CursorNames {
 public:
  // `wanted` with every byte outside [A-Za-z0-9._-] as '_'; the second of a name gets ".2".
  std::string Claim(std::string_view wanted);

 private:
  std::set<std::string, std::less<>> taken_;
};

// The cursor of one consumer. One owner.
class CursorStore {
 public:
  // `name` as CursorNames gave it.
  CursorStore(const Home& home, std::string_view name);

  struct Loaded {
    bool exists = false;
    std::optional<Cursor> cursor;  // nothing when the file does not exist or is damaged
  };
  // Also removes what a killed Save left behind. Throws Error when the file cannot be read.
  Loaded Load() const;

  // Old content or new, on disk when this returns (fsync). Throws Error.
  void Save(const Cursor& cursor) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  void RemoveLeftovers() const;

  std::filesystem::path path_;
};

struct NamedCursor {
  std::string name;
  Cursor cursor;
};
// All consumers' cursors, for those who must not take away what one of them still needs. Damaged
// ones are left out.
std::vector<NamedCursor> ReadCursors(const Home& home);

}  // namespace ospatrol::alert
