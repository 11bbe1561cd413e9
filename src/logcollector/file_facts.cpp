#include "logcollector/file_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/digest.h"
#include "base/files.h"

namespace ospatrol::logcollector {
namespace {

// statfs(2).
constexpr uint64_t kLocalFileSystems[] = {
    0xEF53,      // ext2, ext3, ext4
    0x58465342,  // XFS
    0x9123683E,  // Btrfs
    0x2FC12FC1,  // ZFS
    0xF2F52010,  // F2FS
    0xCA451A4E,  // bcachefs
    0x3153464A,  // JFS
    0x01021994,  // tmpfs
    0x858458F6,  // ramfs
    0x794C7630,  // overlayfs: asks the one below
};

bool IsLocal(const struct statfs& data) {
  return std::ranges::find(kLocalFileSystems, static_cast<uint64_t>(data.f_type)) !=
         std::end(kLocalFileSystems);
}

int64_t Nanoseconds(const statx_timestamp& time) {
  return time.tv_sec * 1'000'000'000 + static_cast<int64_t>(time.tv_nsec);
}

std::optional<FileFacts> Ask(int directory, const char* path, int flags) {
  struct statx data {};
  if (::statx(directory, path, flags, STATX_BASIC_STATS | STATX_BTIME, &data) != 0) {
    return std::nullopt;
  }
  FileFacts facts;
  if (S_ISREG(data.stx_mode)) facts.type = FileFacts::Type::kRegular;
  if (S_ISFIFO(data.stx_mode)) facts.type = FileFacts::Type::kFifo;
  facts.identity.device = makedev(data.stx_dev_major, data.stx_dev_minor);
  facts.identity.inode = data.stx_ino;
  if ((data.stx_mask & STATX_BTIME) != 0) facts.identity.birth_ns = Nanoseconds(data.stx_btime);
  facts.size = data.stx_size;
  facts.modified_ns = Nanoseconds(data.stx_mtime);
  facts.changed_ns = Nanoseconds(data.stx_ctime);
  facts.links = data.stx_nlink;
  return facts;
}

}  // namespace

std::optional<FileFacts> FactsOf(const std::filesystem::path& path) {
  return Ask(AT_FDCWD, path.c_str(), 0);
}

std::optional<FileFacts> FactsOf(const std::string& path) { return Ask(AT_FDCWD, path.c_str(), 0); }

std::optional<FileFacts> FactsOf(int fd) { return Ask(fd, "", AT_EMPTY_PATH); }

bool HasPresentFacts(int fd) {
  struct statfs data {};
  return ::fstatfs(fd, &data) == 0 && IsLocal(data);
}

bool HasPresentFacts(const std::string& path) {
  struct statfs data {};
  return ::statfs(path.c_str(), &data) == 0 && IsLocal(data);
}

bool IsLink(const std::string& path) {
  struct stat data {};
  return ::lstat(path.c_str(), &data) == 0 && S_ISLNK(data.st_mode);
}

base::Fd OpenLog(const std::filesystem::path& path) {
  return base::OpenFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

std::string ReadHead(int fd, size_t length) {
  std::string head(length, '\0');
  size_t have = 0;
  while (have < length) {
    const ssize_t got = ::pread(fd, head.data() + have, length - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  head.resize(have);
  return head;
}

bool HeadMatches(int fd, size_t length, std::string_view digest) {
  const std::string head = ReadHead(fd, length);
  return head.size() == length && base::Sha256Hex(head) == digest;
}

}  // namespace ospatrol::logcollector
