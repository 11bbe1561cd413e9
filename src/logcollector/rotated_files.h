// Finds where rotation has put a file: by inode when it was renamed, by content when it was copied
// and truncated. Only the file's own directory is searched; compressed files are the business of
// packed_files.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "logcollector/file_facts.h"
#include "logcollector/position_store.h"

namespace ospatrol::logcollector {

struct FoundFile {
  std::filesystem::path path;
  base::Fd fd;
  FileFacts facts;
};

// True when the open file is the generation that `row` describes, at least as long as what was read
// of it.
bool Continues(const StoredFile& row, int fd, const FileFacts& facts);

// The generation of `row` under another name: `app.log` has become `app.log.1`, or any other name.
std::optional<FoundFile> FindRenamed(const std::filesystem::path& path, const StoredFile& row);

// A copy that begins with the content of `row`, made after the last change that was seen:
// `app.log.1` of copytruncate. Names are those of IsRotatedName.
std::optional<FoundFile> FindCopy(const std::filesystem::path& path, const StoredFile& row);

// Generations that came and went unseen: rotated names of `path`, born after `older` and before
// `newer`, oldest first. Empty where the file system keeps no birth times.
std::vector<FoundFile> FindBetween(const std::filesystem::path& path, const FileIdentity& older,
                                   const FileIdentity& newer);

// Neighbours whose names are rotated ones of `path` followed by `ending`: app.log.1.gz; also
// app.log.gz.
std::vector<std::filesystem::path> RotatedNames(const std::filesystem::path& path,
                                                std::string_view ending);

// True for app.log.1, app.log-20260812, app-20260812.log, app.log.old when `base` is app.log.
bool IsRotatedName(std::string_view base, std::string_view name);

}  // namespace ospatrol::logcollector
