// Two passes over the packed file: the first compares its beginning and finds its length, the
// second keeps what was not read yet. So memory holds at most the limit.
#include "logcollector/packed_files.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>

#include "base/digest.h"
#include "base/files.h"

namespace ospatrol::logcollector {
namespace {

constexpr std::string_view kEnd = ".gz";
constexpr size_t kBlock = 256 * 1024;
constexpr int64_t kNanoseconds = 1'000'000'000;

// Gives `take` every block with its offset, until it says false. Nothing when the file cannot be
// unpacked to its end.
std::optional<uint64_t> Unpack(int fd,
                               const std::function<bool(uint64_t, std::string_view)>& take) {
  base::Fd copy(::dup(fd));
  if (!copy || ::lseek(copy.get(), 0, SEEK_SET) != 0) return std::nullopt;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzdopen(copy.get(), "rb"), ::gzclose);
  if (!file) return std::nullopt;
  copy.Release();
  std::string block(kBlock, '\0');
  uint64_t offset = 0;
  for (;;) {
    const int got = ::gzread(file.get(), block.data(), static_cast<unsigned>(block.size()));
    int code = Z_OK;
    ::gzerror(file.get(), &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) return std::nullopt;
    if (got == 0) return offset;
    const std::string_view bytes(block.data(), static_cast<size_t>(got));
    if (!take(offset, bytes)) return std::nullopt;
    offset += bytes.size();
  }
}

// The length of what is packed, when it begins with the bytes of `row`.
std::optional<uint64_t> LengthOf(int fd, const StoredFile& row) {
  std::string head;
  bool compared = false;
  const auto length = Unpack(fd, [&](uint64_t, std::string_view bytes) {
    if (compared) return true;
    head += bytes.substr(0, row.head_length - head.size());
    if (head.size() < row.head_length) return true;
    compared = true;
    return base::Sha256Hex(head) == row.head_digest;
  });
  return compared ? length : std::nullopt;
}

bool WriteAt(int fd, uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    offset += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// The first bytes, which identify the file, and those from `from` on.
base::Fd Keep(int fd, const StoredFile& row, uint64_t from, uint64_t length) {
  base::Fd memory(::memfd_create("rotated", MFD_CLOEXEC));
  if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(length)) != 0) return {};
  const auto done = Unpack(fd, [&](uint64_t offset, std::string_view bytes) {
    if (offset < row.head_length &&
        !WriteAt(memory.get(), offset, bytes.substr(0, row.head_length - offset))) {
      return false;
    }
    const uint64_t skip = from > offset ? std::min<uint64_t>(from - offset, bytes.size()) : 0;
    return WriteAt(memory.get(), offset + skip, bytes.substr(skip));
  });
  return done == length ? std::move(memory) : base::Fd();
}

}  // namespace

std::optional<FoundFile> FindPacked(const std::filesystem::path& path, const StoredFile& row,
                                    uint64_t limit) {
  // Without a head there is nothing to recognise.
  if (row.head_length == 0) return std::nullopt;
  for (const std::filesystem::path& candidate : RotatedNames(path, kEnd)) {
    const base::Fd packed = OpenLog(candidate);
    const auto facts = packed ? FactsOf(packed.get()) : std::nullopt;
    if (!facts || facts->type != FileFacts::Type::kRegular) continue;
    // Older files may begin with the same bytes, such as a header. Those who compress keep the time
    // of the original, some only in seconds.
    if (facts->modified_ns / kNanoseconds < row.modified_ns / kNanoseconds) continue;
    const auto length = LengthOf(packed.get(), row);
    if (!length || *length < row.position.offset) continue;
    const uint64_t rest = *length - row.position.offset;
    const uint64_t from = rest > limit ? *length - limit : row.position.offset;
    FoundFile found;
    found.path = candidate;
    found.fd = Keep(packed.get(), row, from, *length);
    const auto unpacked = found.fd ? FactsOf(found.fd.get()) : std::nullopt;
    if (!unpacked) continue;
    found.facts = *unpacked;
    return found;
  }
  return std::nullopt;
}

}  // namespace ospatrol::logcollector
