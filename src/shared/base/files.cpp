#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/digest.h"
#include "base/error.h"
#include "base/random.h"

namespace ospatrol::base {

namespace {

[[noreturn]] void Fail(const std::filesystem::path& path, std::string_view action, int error) {
  throw Error(fmt::format("{}: cannot {}: {}", path.native(), action, ErrnoText(error)));
}

std::string ReadOpenFile(const Fd& file, const std::filesystem::path& path, size_t limit) {
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) Fail(path, "read", errno);
  if (S_ISDIR(facts.st_mode)) Fail(path, "read", EISDIR);
  std::string content;
  size_t used = 0;
  // The size is only a first guess: files of /proc say 0, and a file may grow while it is read.
  size_t space = S_ISREG(facts.st_mode) ? static_cast<size_t>(facts.st_size) + 1 : 0;
  for (;;) {
    space = std::min(std::max(space, used + 4096), limit + 1);
    content.resize(space);
    const ssize_t got = read(file.get(), content.data() + used, space - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) Fail(path, "read", errno);
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > limit) {
      throw Error(fmt::format("{}: cannot read: it is larger than the limit of {} bytes",
                              path.native(), limit));
    }
    if (used == space) space *= 2;
  }
  content.resize(used);
  return content;
}

// Removes a half-written file unless it was kept.
class Temporary {
 public:
  explicit Temporary(const std::filesystem::path& target)
      : path_(target.parent_path() /
              fmt::format(".{}.{}.tmp", target.filename().native(), ToHex(RandomBytes(8)))) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!kept_) unlink(path_.c_str());
  }
  const std::filesystem::path& path() const { return path_; }
  void Keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

// O_NONBLOCK: a FIFO in the place of a file must not stop us; reading it then gives an empty text.
constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

void SyncDirectory(const std::filesystem::path& directory) {
  const Fd fd = OpenFile(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
  if (fd) fsync(fd.get());  // file systems without directory sync are no reason to fail
}

}  // namespace

std::string ErrnoText(int error) { return std::generic_category().message(error); }

Fd OpenFile(const std::filesystem::path& path, int flags, mode_t mode) {
  int fd;
  do {
    fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return Fd(fd);
}

std::string ReadFile(const std::filesystem::path& path, size_t limit) {
  const Fd file = OpenFile(path, kReadFlags);
  if (!file) Fail(path, "read", errno);
  return ReadOpenFile(file, path, limit);
}

std::optional<std::string> ReadFileIfPresent(const std::filesystem::path& path, size_t limit) {
  const Fd file = OpenFile(path, kReadFlags);
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) Fail(path, "read", errno);
  return ReadOpenFile(file, path, limit);
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

void WriteFileAtomically(const std::filesystem::path& path, std::string_view content, mode_t mode,
                         std::optional<FileOwner> owner) {
  Temporary temporary(path);
  const Fd file = OpenFile(temporary.path(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!file) {
    temporary.Keep();  // not ours
    Fail(path, "write", errno);
  }
  if (!WriteAll(file.get(), content)) Fail(path, "write", errno);
  if (owner && fchown(file.get(), owner->uid, owner->gid) != 0) Fail(path, "set the owner", errno);
  if (fchmod(file.get(), mode) != 0) Fail(path, "set the mode", errno);
  if (fsync(file.get()) != 0) Fail(path, "write", errno);
  if (rename(temporary.path().c_str(), path.c_str()) != 0) Fail(path, "replace", errno);
  temporary.Keep();
  SyncDirectory(path.parent_path());
}

void MakeDirectories(const std::filesystem::path& path, mode_t mode) {
  std::filesystem::path made;
  for (const auto& part : path) {
    made /= part;
    if (mkdir(made.c_str(), mode) == 0 || errno == EEXIST) continue;
    const int error = errno;
    // A parent may be on a read-only file system or hidden from us and yet exist.
    struct stat facts {};
    if (stat(made.c_str(), &facts) != 0) Fail(made, "make the directory", error);
  }
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) Fail(path, "make the directory", errno);
  if (!S_ISDIR(facts.st_mode)) Fail(path, "make the directory", ENOTDIR);
}

}  // namespace ospatrol::base
