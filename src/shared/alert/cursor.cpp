#include "alert/cursor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ospatrol::alert {
namespace {

constexpr std::string_view kVersion = "v1";
constexpr std::string_view kNoId = "-";
constexpr size_t kMaxCursorFile = 256;  // bytes
constexpr size_t kMaxId = 64;
constexpr mode_t kMode = 0640;

bool IsIdByte(char c) { return base::IsDigit(c) || c == '.'; }

bool IsNameByte(char c) { return base::IsAlnum(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

std::string FormatCursor(const Cursor& cursor) {
  return fmt::format("{} {} {} {}\n", kVersion, base::FormatDay(cursor.day),
                     cursor.id.empty() ? kNoId : cursor.id, cursor.offset);
}

std::optional<Cursor> ParseCursor(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::vector<std::string_view> words = base::Split(line, ' ');
  if (words.size() != 4 || words[0] != kVersion) return std::nullopt;
  const auto day = base::ParseDay(words[1]);
  const auto offset = base::ParseNumber<uint64_t>(words[3]);
  if (!day || !offset || words[2].empty() || words[2].size() > kMaxId) return std::nullopt;
  if (words[2] == kNoId) return Cursor{*day, {}, *offset};
  if (!std::all_of(words[2].begin(), words[2].end(), IsIdByte)) return std::nullopt;
  return Cursor{*day, std::string(words[2]), *offset};
}

std::string CursorNames::Claim(std::string_view wanted) {
  std::string name(wanted.empty() ? "_" : wanted);
  for (char& c : name) {
    if (!IsNameByte(c)) c = '_';
  }
  // Files that begin with a dot are not cursors.
  if (name[0] == '.') name[0] = '_';
  std::string free = name;
  for (int number = 2; !taken_.insert(free).second; ++number) {
    free = fmt::format("{}.{}", name, number);
  }
  return free;
}

CursorStore::CursorStore(const Home& home, std::string_view name) : path_(home / kCursors / name) {}

CursorStore::Loaded CursorStore::Load() const {
  RemoveLeftovers();
  const auto content = base::ReadFileIfPresent(path_, kMaxCursorFile);
  if (!content) return {};
  return {true, ParseCursor(*content)};
}

void CursorStore::Save(const Cursor& cursor) const {
  base::WriteFileAtomically(path_, FormatCursor(cursor), kMode);
}

// Names as WriteFileAtomically makes them: ".NAME.<16 hex digits>.tmp".
void CursorStore::RemoveLeftovers() const {
  constexpr std::string_view kEnd = ".tmp";
  const std::string begin = "." + path_.filename().native() + ".";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_.parent_path(), error)) {
    const std::string name = entry.path().filename().native();
    if (name.size() != begin.size() + 16 + kEnd.size() || !name.starts_with(begin) ||
        !name.ends_with(kEnd)) {
      continue;
    }
    std::error_code ignored;
    std::filesystem::remove(entry.path(), ignored);
  }
}

std::vector<NamedCursor> ReadCursors(const Home& home) {
  std::vector<NamedCursor> cursors;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(home / kCursors, error)) {
    const std::string name = entry.path().filename().native();
    if (name.starts_with('.')) continue;
    try {
      const auto content = base::ReadFileIfPresent(entry.path(), kMaxCursorFile);
      const auto cursor = content ? ParseCursor(*content) : std::nullopt;
      if (cursor) cursors.push_back({name, *cursor});
    } catch (const Error&) {
      continue;  // not a cursor: a directory, something too long
    }
  }
  std::sort(cursors.begin(), cursors.end(),
            [](const NamedCursor& a, const NamedCursor& b) { return a.name < b.name; });
  return cursors;
}

}  // namespace ospatrol::alert
