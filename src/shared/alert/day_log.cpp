#include "alert/day_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>

#include "base/files.h"

namespace ospatrol::alert {
namespace {

constexpr int kMaxParts = 1000;  // three digits in names
constexpr std::string_view kPackedEnd = ".gz";
constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;  // a FIFO must not stop us

FileIdentity Identity(const struct stat& facts) { return {facts.st_dev, facts.st_ino}; }

std::filesystem::path PackedName(const std::filesystem::path& path) {
  return path.native() + std::string(kPackedEnd);
}

}  // namespace

std::optional<FileIdentity> IdentityOf(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return Identity(facts);
}

// zlib reads forwards; going back begins anew, which callers do once at a start at most.
class DayLog::Packed {
 public:
  static std::shared_ptr<Packed> Open(const std::filesystem::path& path) {
    base::Fd fd = base::OpenFile(path, kFlags);
    if (!fd) return nullptr;
    const gzFile file = ::gzdopen(fd.get(), "rb");
    if (file == nullptr) {
      errno = ENOMEM;
      return nullptr;
    }
    fd.Release();
    return std::shared_ptr<Packed>(new Packed(file));
  }
  Packed(const Packed&) = delete;
  Packed& operator=(const Packed&) = delete;
  ~Packed() { ::gzclose(file_); }

  ssize_t Read(uint64_t offset, size_t limit, char* out) {
    errno = 0;
    const auto wanted = static_cast<z_off_t>(offset);
    if (::gztell(file_) != wanted && ::gzseek(file_, wanted, SEEK_SET) != wanted) {
      // Behind the end.
      return Failed() ? -1 : 0;
    }
    const int got = ::gzread(file_, out, static_cast<unsigned>(limit));
    if (got >= 0 && !(got == 0 && Failed())) return got;
    Failed();
    return -1;
  }

  uint64_t Size() {
    if (!size_) {
      std::string space(kSkip, '\0');
      uint64_t at = 0;
      for (;;) {
        const ssize_t got = Read(at, space.size(), space.data());
        if (got <= 0) break;
        at += static_cast<uint64_t>(got);
      }
      size_ = at;
    }
    return *size_;
  }

 private:
  static constexpr size_t kSkip = 256 * 1024;

  explicit Packed(gzFile file) : file_(file) {}

  // True, with errno set, when what was read is damaged or unreadable.
  bool Failed() {
    int code = Z_OK;
    ::gzerror(file_, &code);
    if (code == Z_OK || code == Z_STREAM_END) return false;
    if (code != Z_ERRNO || errno == 0) errno = EILSEQ;
    return true;
  }

  gzFile file_;
  std::optional<uint64_t> size_;
};

std::optional<DayLog> DayLog::Open(const Home& home, const DailyNames& names,
                                   const base::Day& day) {
  DayLog log(home, names, day);
  if (!log.OpenNextPart()) return std::nullopt;
  return log;
}

bool DayLog::Exists(const Home& home, const DailyNames& names, const base::Day& day) {
  const std::filesystem::path path = home / DailyPath(names, day);
  return IdentityOf(path) || IdentityOf(PackedName(path));
}

// The plain file first: while it exists the packed one may be half-written.
std::optional<DayLog::Part> DayLog::OpenPart(int number) const {
  const std::filesystem::path path = PathOf(number);
  Part part;
  part.file = base::OpenFile(path, kFlags);
  if (part.file) return part;
  if (errno != ENOENT) return std::nullopt;
  part.packed = Packed::Open(PackedName(path));
  if (!part.packed) return std::nullopt;
  return part;
}

bool DayLog::OpenNextPart() {
  if (parts_.size() >= kMaxParts) return false;
  auto part = OpenPart(static_cast<int>(parts_.size()));
  if (!part) return false;
  // Once there is a next part, nothing is added to the last one.
  part->begin = parts_.empty() ? 0 : parts_.back().begin + PartSize(parts_.back());
  parts_.push_back(std::move(*part));
  return true;
}

ssize_t DayLog::ReadPart(Part& part, uint64_t offset, size_t limit, std::string& out) {
  const size_t old_size = out.size();
  out.resize(old_size + limit);
  ssize_t got;
  do {
    got = part.packed ? part.packed->Read(offset - part.begin, limit, out.data() + old_size)
                      : ::pread(part.file.get(), out.data() + old_size, limit,
                                static_cast<off_t>(offset - part.begin));
  } while (got < 0 && errno == EINTR);
  out.resize(old_size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return got;
}

ssize_t DayLog::Read(uint64_t offset, size_t limit, std::string& out) {
  for (;;) {
    auto part = std::find_if(parts_.rbegin(), parts_.rend(),
                             [&](const Part& p) { return p.begin <= offset; });
    const bool last = part == parts_.rbegin();
    const ssize_t got = ReadPart(*part, offset, limit, out);
    if (got != 0 || !last) return got;
    if (!OpenNextPart()) return 0;
    if (parts_.back().begin > offset) continue;  // the last one grew before the next one began
  }
}

uint64_t DayLog::PartSize(Part& part) {
  if (part.packed) return part.packed->Size();
  struct stat facts {};
  return ::fstat(part.file.get(), &facts) == 0 ? static_cast<uint64_t>(facts.st_size) : 0;
}

uint64_t DayLog::Size() {
  while (OpenNextPart()) {
  }
  return parts_.back().begin + PartSize(parts_.back());
}

bool DayLog::IsTruncated(uint64_t offset) const {
  const Part& part = parts_.back();
  struct stat facts {};
  return !part.packed && offset > part.begin && ::fstat(part.file.get(), &facts) == 0 &&
         static_cast<uint64_t>(facts.st_size) < offset - part.begin;
}

bool DayLog::IsReplaced() const {
  const auto mine = current();
  const auto named = IdentityOf(PathOf(static_cast<int>(parts_.size()) - 1));
  return mine && named && *named != *mine;
}

std::optional<FileIdentity> DayLog::current() const {
  const Part& part = parts_.back();
  struct stat facts {};
  if (part.packed || ::fstat(part.file.get(), &facts) != 0) return std::nullopt;
  return Identity(facts);
}

}  // namespace ospatrol::alert
