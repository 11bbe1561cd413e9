#include "secure/keys_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "log/log.h"
#include "product/product.h"

namespace ospatrol::secure {

namespace {

constexpr size_t kMaxFile = size_t{1} << 30;
constexpr mode_t kFileMode = 0640;
constexpr mode_t kLockMode = 0660;
constexpr std::string_view kRemovedMark = "#*#*#*#*#*#*#*#*#*#*#";
constexpr std::chrono::milliseconds kLockPause{10};

[[noreturn]] void Fail(const std::filesystem::path& path, std::string_view action) {
  throw Error(fmt::format("{}: cannot {}: {}", path.native(), action, base::ErrnoText(errno)));
}

// Where the line of `id` begins and ends (without line feed) in the text of a file.
struct LineSpan {
  size_t begin;
  size_t end;
};

std::optional<LineSpan> FindLine(std::string_view text, std::string_view id) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t feed = text.find('\n', begin);
    const size_t end = feed == std::string_view::npos ? text.size() : feed;
    const std::string_view line = text.substr(begin, end - begin);
    if (line.size() > id.size() + 1 && line.starts_with(id) && line[id.size()] == ' ' &&
        line[id.size() + 1] != '#') {
      return LineSpan{begin, end};
    }
    begin = end + 1;
  }
  return std::nullopt;
}

std::string Lines(std::span<const AgentKey> agents) {
  std::string text;
  for (const AgentKey& agent : agents) text += FormatKeyLine(agent) + '\n';
  return text;
}

// Some programs may change the file but not its directory.
bool MayReplace(const std::filesystem::path& path) {
  return faccessat(AT_FDCWD, path.parent_path().c_str(), W_OK, AT_EACCESS) == 0;
}

// Owner, group and mode for the file that takes the place of `path`.
struct Attributes {
  std::optional<base::FileOwner> owner;
  mode_t mode = kFileMode;
};

Attributes AttributesFor(const std::filesystem::path& path) {
  struct stat facts {};
  Attributes result;
  const bool present = stat(path.c_str(), &facts) == 0;
  if (present) result.mode = facts.st_mode & 07777;
  if (geteuid() != 0) return result;
  if (present) {
    result.owner = {facts.st_uid, facts.st_gid};
  } else if (stat(path.parent_path().c_str(), &facts) == 0) {
    // The directory belongs to root and the product's group.
    result.owner = {0, facts.st_gid};
  }
  return result;
}

void Replace(const std::filesystem::path& path, std::string_view text) {
  const Attributes attributes = AttributesFor(path);
  base::WriteFileAtomically(path, text, attributes.mode, attributes.owner);
}

// One write, then fsync. What a failed write left is cut off again.
void AppendInPlace(const std::filesystem::path& path, std::string lines) {
  const base::Fd file = base::OpenFile(path, O_RDWR | O_NOFOLLOW);
  if (!file) Fail(path, "open");
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) Fail(path, "read");
  char last = '\n';
  if (facts.st_size > 0 && pread(file.get(), &last, 1, facts.st_size - 1) != 1) Fail(path, "read");
  if (last != '\n') lines.insert(lines.begin(), '\n');
  const ssize_t written = pwrite(file.get(), lines.data(), lines.size(), facts.st_size);
  if (written != static_cast<ssize_t>(lines.size()) || fsync(file.get()) != 0) {
    const int error = written >= 0 && written < static_cast<ssize_t>(lines.size()) ? ENOSPC : errno;
    [[maybe_unused]] const int ignored = ftruncate(file.get(), facts.st_size);
    errno = error;
    Fail(path, "write");
  }
}

// The line keeps its length: only the id stays, the rest is overwritten with marks.
void BlankInPlace(const std::filesystem::path& path, LineSpan line, std::string_view id) {
  std::string blank = fmt::format("{} ", id);
  while (blank.size() < line.end - line.begin) blank += blank.back() == '#' ? '*' : '#';
  const base::Fd file = base::OpenFile(path, O_WRONLY | O_NOFOLLOW);
  if (!file) Fail(path, "open");
  const ssize_t written =
      pwrite(file.get(), blank.data(), blank.size(), static_cast<off_t>(line.begin));
  if (written != static_cast<ssize_t>(blank.size()) || fsync(file.get()) != 0) Fail(path, "write");
}

// var/run is sticky and writable for the group: there the kernel refuses O_CREAT even to root for a
// file that somebody else owns. So what exists is opened, and only what does not is made.
base::Fd OpenLockFile(const std::filesystem::path& path) {
  base::Fd file = base::OpenFile(path, O_RDWR | O_NOFOLLOW);
  if (!file && errno == ENOENT) {
    file = base::OpenFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, kLockMode);
    struct stat directory {};
    if (file && geteuid() == 0 && stat(path.parent_path().c_str(), &directory) == 0) {
      // For the group that the other writers have; the umask took its rights.
      if (fchown(file.get(), 0, directory.st_gid) != 0 || fchmod(file.get(), kLockMode) != 0) {
        Fail(path, "set the owner");
      }
    }
    if (!file && errno == EEXIST) file = base::OpenFile(path, O_RDWR | O_NOFOLLOW);
  }
  // A file of another user of the group: reading is enough for the lock.
  if (!file && errno == EACCES) file = base::OpenFile(path, O_RDONLY | O_NOFOLLOW);
  if (!file) Fail(path, "open");
  return file;
}

}  // namespace

void WriteToLog(std::span<const KeyProblem> problems) {
  for (const KeyProblem& problem : problems) {
    if (problem.message == msg::kKeyLine.id) {
      log::Write<msg::kKeyLine>(problem.subject, paths::kClientKeys, problem.line, problem.detail);
    } else {
      log::WriteLine(problem.message, log::Level::kError,
                     fmt::format("Invalid ip address: '{}'. ({}:{}: {})", problem.subject,
                                 paths::kClientKeys, problem.line, problem.detail));
    }
  }
}

KeysFile::KeysFile(const Home& home)
    : path_(home / paths::kClientKeys), lock_path_(home / paths::kClientKeysLock) {}

LoadedKeys KeysFile::Load() const {
  LoadedKeys loaded;
  const auto text = base::ReadFileIfPresent(path_, kMaxFile);
  loaded.present = text.has_value();
  if (text) loaded.keys = ParseKeys(*text, loaded.problems);
  return loaded;
}

KeysLock KeysFile::Lock(std::chrono::milliseconds patience) const {
  base::Fd file = OpenLockFile(lock_path_);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) Fail(lock_path_, "lock");
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(
          fmt::format("{}: another program has been changing client.keys for {} seconds; "
                      "try again when it is done",
                      lock_path_.native(), patience.count() / 1000));
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return KeysLock(std::move(file));
}

void KeysFile::Append(const KeysLock& /*lock*/, std::span<const AgentKey> agents) const {
  if (agents.empty()) return;
  if (!MayReplace(path_)) return AppendInPlace(path_, Lines(agents));
  std::string text = base::ReadFileIfPresent(path_, kMaxFile).value_or(std::string());
  if (!text.empty() && text.back() != '\n') text += '\n';
  Replace(path_, text + Lines(agents));
}

bool KeysFile::Remove(const KeysLock& /*lock*/, std::string_view id) const {
  std::string text = base::ReadFileIfPresent(path_, kMaxFile).value_or(std::string());
  const auto line = FindLine(text, id);
  if (!line) return false;
  if (MayReplace(path_)) {
    text.replace(line->begin, line->end - line->begin, fmt::format("{} {}", id, kRemovedMark));
    Replace(path_, text);
  } else {
    BlankInPlace(path_, *line, id);
  }
  return true;
}

void KeysFile::ReplaceAll(const KeysLock& /*lock*/, std::span<const AgentKey> agents) const {
  Replace(path_, Lines(agents));
}

void KeysFile::HandTo(uid_t uid, gid_t gid) const {
  const base::Fd file = base::OpenFile(path_, O_RDWR | O_CREAT | O_NOFOLLOW, kFileMode);
  if (!file) Fail(path_, "open");
  if (fchown(file.get(), uid, gid) != 0) Fail(path_, "set the owner");
  if (fchmod(file.get(), kFileMode) != 0) Fail(path_, "set the mode");
  if (fsync(file.get()) != 0) Fail(path_, "write");
}

bool KeysWatch::Changed() {
  constexpr int64_t kNanoseconds = 1'000'000'000;
  struct stat facts {};
  Facts now;
  if (stat(file_.c_str(), &facts) == 0) {
    now = {.device = facts.st_dev,
           .inode = facts.st_ino,
           .size = facts.st_size,
           .modified_ns = facts.st_mtim.tv_sec * kNanoseconds + facts.st_mtim.tv_nsec,
           .changed_ns = facts.st_ctim.tv_sec * kNanoseconds + facts.st_ctim.tv_nsec};
  }
  const bool changed = !seen_ || *seen_ != now;
  seen_ = now;
  return changed;
}

}  // namespace ospatrol::secure
