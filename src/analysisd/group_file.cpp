#include "analysisd/group_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/files.h"
#include "log/log.h"

namespace ospatrol::analysisd {
namespace {

constexpr uint64_t kTail = 2 * 1024 * 1024;  // longer than any group's last record

std::string_view EndText(GroupFile::RecordEnd record_end) {
  return record_end == GroupFile::RecordEnd::kEmptyLine ? "\n\n" : "\n";
}

// The last bytes of the file, or nothing when they cannot be read.
std::string ReadTail(int fd, uint64_t size) {
  std::string tail(static_cast<size_t>(std::min(size, kTail)), '\0');
  const auto offset = static_cast<off_t>(size - tail.size());
  size_t used = 0;
  while (used < tail.size()) {
    const ssize_t got =
        ::pread(fd, tail.data() + used, tail.size() - used, offset + static_cast<off_t>(used));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    used += static_cast<size_t>(got);
  }
  return tail;
}

}  // namespace

std::optional<GroupFile> GroupFile::Open(const std::filesystem::path& path, RecordEnd record_end) {
  base::Fd fd = base::OpenFile(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0640);
  if (!fd) return std::nullopt;
  GroupFile file(std::move(fd));
  file.RemoveTornRecord(path, record_end);
  return file;
}

void GroupFile::RemoveTornRecord(const std::filesystem::path& path, RecordEnd record_end) {
  const std::string_view end = EndText(record_end);
  const uint64_t size = Size();
  const std::string tail = ReadTail(fd_.get(), size);
  if (tail.empty() || tail.ends_with(end)) return;
  const size_t last = tail.rfind(end);
  const size_t keep = last == std::string::npos ? 0 : last + end.size();
  const size_t torn = tail.size() - keep;
  // Nothing but the beginning of a record, and more in front of it than was read: keep it and end
  // it.
  const bool whole_file_read = tail.size() == size;
  if ((last == std::string::npos && !whole_file_read) ||
      ::ftruncate(fd_.get(), static_cast<off_t>(size - torn)) != 0) {
    base::WriteAll(fd_.get(), end);
    return;
  }
  log::Write<msg::kTornRecord>(path.native(), torn);
}

bool GroupFile::Append(std::string_view group) {
  const uint64_t size = Size();
  if (size < done_) done_ = 0;  // somebody emptied the file meanwhile
  const uint64_t begin = size - done_;
  size_t at = done_;
  while (at < group.size()) {
    const ssize_t written = ::write(fd_.get(), group.data() + at, group.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      if (at > 0 && ::ftruncate(fd_.get(), static_cast<off_t>(begin)) == 0) at = 0;
      done_ = at;
      errno = error;
      return false;
    }
    at += static_cast<size_t>(written);
  }
  done_ = 0;
  return true;
}

uint64_t GroupFile::Size() const {
  struct stat facts {};
  return ::fstat(fd_.get(), &facts) == 0 ? static_cast<uint64_t>(facts.st_size) : 0;
}

bool GroupFile::IsAt(const std::filesystem::path& path) const {
  struct stat ours {
  }, there{};
  return ::fstat(fd_.get(), &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

}  // namespace ospatrol::analysisd
