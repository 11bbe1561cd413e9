// Whole files in and out, atomically; directories.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace ospatrol::base {

// The whole file. Throws Error ("PATH: cannot read: REASON") also when it is larger than `limit`
// bytes.
std::string ReadFile(const std::filesystem::path& path, size_t limit = size_t{64} << 20);

// As ReadFile, but nothing when the file does not exist.
std::optional<std::string> ReadFileIfPresent(const std::filesystem::path& path,
                                             size_t limit = size_t{64} << 20);

struct FileOwner {
  uid_t uid;
  gid_t gid;
};

// Writes beside `path`, syncs and renames: a reader sees the old content or the new one. Owner and
// mode are set before the file gets its name, so that nobody who may write to the directory can
// have them set on something else. Throws Error.
void WriteFileAtomically(const std::filesystem::path& path, std::string_view content, mode_t mode,
                         std::optional<FileOwner> owner = std::nullopt);

// Writes all bytes, continuing after EINTR and short writes. False on error; errno says why.
bool WriteAll(int fd, std::string_view bytes);

// open(2) with O_CLOEXEC. The result is closed (IsOpen() false) on error; errno says why.
Fd OpenFile(const std::filesystem::path& path, int flags, mode_t mode = 0640);

// mkdir -p with `mode` (masked by umask) for each new directory. Throws Error.
void MakeDirectories(const std::filesystem::path& path, mode_t mode);

// "No such file or directory" for ENOENT; thread-safe.
std::string ErrnoText(int error);

}  // namespace ospatrol::base
