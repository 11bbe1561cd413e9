// What the system says about a file, and how one file is told from another of the same name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace ospatrol::logcollector {

// Bytes at the beginning of a file that its fingerprint covers.
inline constexpr size_t kHeadSize = 1024;

struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t birth_ns = 0;  // 0 = the file system does not say

  bool operator==(const FileIdentity&) const = default;
  // The same file while it is known to exist. (An inode number is free again when the file is
  // gone.)
  bool SameInode(const FileIdentity& other) const {
    return inode == other.inode && device == other.device;
  }
  // Across restarts: device numbers may change, births may not.
  bool MayBe(const FileIdentity& other) const {
    const bool births = birth_ns != 0 && other.birth_ns != 0;
    return inode == other.inode && (!births || birth_ns == other.birth_ns);
  }
};

struct FileFacts {
  enum class Type { kRegular, kFifo, kOther };
  Type type = Type::kOther;
  FileIdentity identity;
  uint64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;  // of content or inode; nobody can set it back
  uint64_t links = 0;

  bool operator==(const FileFacts&) const = default;
};

// Nothing when the call fails; errno says why. Symbolic links are followed.
std::optional<FileFacts> FactsOf(const std::filesystem::path& path);
std::optional<FileFacts> FactsOf(const std::string& path);
std::optional<FileFacts> FactsOf(int fd);

// True when it lies in a file system of this machine, whose sizes and times are always those of
// this moment: on a network, or behind a program, they may be remembered ones.
bool HasPresentFacts(int fd);
bool HasPresentFacts(const std::string& path);

// True when there is a symbolic link of this name, wherever it leads.
bool IsLink(const std::string& path);

// Read-only and never blocking, also on a FIFO without a writer. Closed on failure; errno says why.
base::Fd OpenLog(const std::filesystem::path& path);

// The first min(length, size) bytes, without moving the file's position.
std::string ReadHead(int fd, size_t length = kHeadSize);

// True when the file begins with the bytes whose SHA-256 is `digest`.
bool HeadMatches(int fd, size_t length, std::string_view digest);

}  // namespace ospatrol::logcollector
