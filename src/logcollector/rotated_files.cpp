#include "logcollector/rotated_files.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <dirent.h>

#include "base/text.h"

namespace ospatrol::logcollector {
namespace {

constexpr std::array<std::string_view, 5> kCompressed = {".gz", ".xz", ".bz2", ".zst", ".Z"};

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

struct Neighbour {
  std::string name;
  uint64_t inode = 0;
};

std::vector<Neighbour> NeighboursOf(const std::filesystem::path& path) {
  std::vector<Neighbour> neighbours;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.parent_path().c_str()));
  if (!directory) return neighbours;
  const std::string own = path.filename().native();
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN) continue;
    if (own == entry->d_name) continue;
    neighbours.push_back({entry->d_name, entry->d_ino});
  }
  return neighbours;
}

bool IsCompressed(std::string_view name) {
  return std::any_of(kCompressed.begin(), kCompressed.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

std::optional<FoundFile> OpenNeighbour(const std::filesystem::path& path, std::string_view name) {
  FoundFile found;
  found.path = path.parent_path() / name;
  found.fd = OpenLog(found.path);
  if (!found.fd) return std::nullopt;
  const auto facts = FactsOf(found.fd.get());
  if (!facts || facts->type != FileFacts::Type::kRegular) return std::nullopt;
  found.facts = *facts;
  return found;
}

// ".1", "-20260812", ".2026-08-12_11", ".old"
bool IsRotationSuffix(std::string_view suffix) {
  if (suffix.size() < 2) return false;
  if (suffix == ".old") return true;
  if (suffix[0] != '.' && suffix[0] != '-' && suffix[0] != '_') return false;
  suffix.remove_prefix(1);
  return base::IsDigit(suffix[0]) &&
         suffix.find_first_not_of("0123456789.-_T") == std::string::npos;
}

}  // namespace

bool IsRotatedName(std::string_view base, std::string_view name) {
  if (name.starts_with(base)) return IsRotationSuffix(name.substr(base.size()));
  const size_t dot = base.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view stem = base.substr(0, dot);
  const std::string_view extension = base.substr(dot);
  if (!name.starts_with(stem) || !name.ends_with(extension)) return false;
  if (name.size() < base.size()) return false;
  return IsRotationSuffix(name.substr(stem.size(), name.size() - base.size()));
}

bool Continues(const StoredFile& row, int fd, const FileFacts& facts) {
  return facts.size >= row.position.offset && HeadMatches(fd, row.head_length, row.head_digest);
}

std::optional<FoundFile> FindRenamed(const std::filesystem::path& path, const StoredFile& row) {
  for (const Neighbour& neighbour : NeighboursOf(path)) {
    if (neighbour.inode != row.identity.inode || IsCompressed(neighbour.name)) continue;
    auto found = OpenNeighbour(path, neighbour.name);
    if (found && row.identity.MayBe(found->facts.identity) &&
        Continues(row, found->fd.get(), found->facts)) {
      return found;
    }
  }
  return std::nullopt;
}

std::optional<FoundFile> FindCopy(const std::filesystem::path& path, const StoredFile& row) {
  // Without a head there is nothing to recognise.
  if (row.head_length == 0) return std::nullopt;
  const std::string base = path.filename().native();
  for (const Neighbour& neighbour : NeighboursOf(path)) {
    if (!IsRotatedName(base, neighbour.name)) continue;
    auto found = OpenNeighbour(path, neighbour.name);
    // Older files may begin with the same bytes, such as a header.
    if (found && found->facts.modified_ns >= row.modified_ns &&
        Continues(row, found->fd.get(), found->facts)) {
      return found;
    }
  }
  return std::nullopt;
}

std::vector<std::filesystem::path> RotatedNames(const std::filesystem::path& path,
                                                std::string_view ending) {
  std::vector<std::filesystem::path> names;
  const std::string base = path.filename().native();
  for (const Neighbour& neighbour : NeighboursOf(path)) {
    std::string_view name = neighbour.name;
    if (!name.ends_with(ending)) continue;
    name.remove_suffix(ending.size());
    if (name == base || IsRotatedName(base, name)) {
      names.push_back(path.parent_path() / neighbour.name);
    }
  }
  return names;
}

std::vector<FoundFile> FindBetween(const std::filesystem::path& path, const FileIdentity& older,
                                   const FileIdentity& newer) {
  std::vector<FoundFile> found;
  if (older.birth_ns == 0 || newer.birth_ns == 0) return found;
  const std::string base = path.filename().native();
  for (const Neighbour& neighbour : NeighboursOf(path)) {
    if (!IsRotatedName(base, neighbour.name)) continue;
    auto file = OpenNeighbour(path, neighbour.name);
    if (!file) continue;
    const FileIdentity& identity = file->facts.identity;
    if (identity.birth_ns > older.birth_ns && identity.birth_ns < newer.birth_ns) {
      found.push_back(std::move(*file));
    }
  }
  std::sort(found.begin(), found.end(), [](const FoundFile& a, const FoundFile& b) {
    return a.facts.identity.birth_ns < b.facts.identity.birth_ns;
  });
  return found;
}

}  // namespace ospatrol::logcollector
