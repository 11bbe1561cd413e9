#include "log/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "base/time.h"

namespace ospatrol::log {

namespace {

struct Sink {
  std::mutex mutex;
  std::string program = "ospatrol";
  std::filesystem::path file;
  bool also_stderr = true;
  bool torn = false;  // the file ends in a part of a line
};

// Never destroyed: a thread may log while the process ends.
Sink& TheSink() {
  static Sink& sink = *std::make_unique<Sink>().release();
  return sink;
}

std::atomic<int> debug_level{0};

constexpr std::string_view Name(Level level) {
  switch (level) {
    case Level::kError:
      return "ERROR";
    case Level::kWarn:
      return "WARN";
    case Level::kInfo:
      return "INFO";
    case Level::kDebug:
      return "DEBUG";
  }
  return "ERROR";
}

// The first line of a new file. Other users append to it later, so it must not carry this process's
// umask; and when root happens to write first, the file must belong to the owner of the directory,
// as the installer makes it.
base::Fd CreateFile(const std::filesystem::path& file, int flags) {
  base::Fd fd = base::OpenFile(file, flags | O_CREAT | O_EXCL, 0660);
  if (!fd) return fd;
  struct stat directory {};
  if (geteuid() == 0 && stat(file.parent_path().c_str(), &directory) == 0 &&
      fchown(fd.get(), directory.st_uid, directory.st_gid) != 0) {
    return fd;  // still usable by root
  }
  fchmod(fd.get(), 0660);
  return fd;
}

// O_NONBLOCK: somebody who put a FIFO in the file's place must not stop the daemon.
base::Fd OpenLog(const std::filesystem::path& file) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  base::Fd fd = base::OpenFile(file, kFlags);
  if (!fd && errno == ENOENT) fd = CreateFile(file, kFlags);
  if (!fd && errno == EEXIST) fd = base::OpenFile(file, kFlags);  // another program was first
  struct stat facts {};
  if (fd && (fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode))) fd.reset();
  return fd;
}

// Bytes that were written: all of them by one write(2), so that lines of several programs never
// mix; only what a full disk cuts off is tried again.
size_t WriteLineTo(int fd, std::string_view line) {
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = write(fd, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<size_t>(written);
  }
  return done;
}

// False when the line did not get there as a whole. A line that was cut is ended by the next one.
bool AppendToFile(Sink& sink, std::string_view line) {
  if (sink.file.empty()) return false;
  const base::Fd fd = OpenLog(sink.file);
  if (!fd) return false;
  if (sink.torn && WriteLineTo(fd.get(), "\n") == 1) sink.torn = false;
  const size_t written = WriteLineTo(fd.get(), line);
  if (written > 0 && written < line.size()) sink.torn = true;
  return written == line.size();
}

}  // namespace

void Configure(std::string program, std::filesystem::path file, bool also_stderr) {
  Sink& sink = TheSink();
  const std::scoped_lock lock(sink.mutex);
  sink.program = std::move(program);
  sink.file = std::move(file);
  sink.torn = false;
  sink.also_stderr = also_stderr;
}

void SetFile(std::filesystem::path file) {
  Sink& sink = TheSink();
  const std::scoped_lock lock(sink.mutex);
  sink.file = std::move(file);
  sink.torn = false;
}

void SetAlsoStderr(bool on) {
  Sink& sink = TheSink();
  const std::scoped_lock lock(sink.mutex);
  sink.also_stderr = on;
}

namespace {

// The objects of all threads. Never destroyed: threads end late.
struct LimitedObjects {
  std::mutex mutex;
  std::set<LimitedBase*> objects;
};
LimitedObjects& AllLimited() {
  static LimitedObjects& all = *std::make_unique<LimitedObjects>().release();
  return all;
}

}  // namespace

LimitedBase::LimitedBase() {
  LimitedObjects& all = AllLimited();
  const std::scoped_lock lock(all.mutex);
  all.objects.insert(this);
}

LimitedBase::LimitedBase(LimitedBase&& other) noexcept : LimitedBase() {
  const std::scoped_lock lock(other.mutex_);
  written_ = other.written_;
  last_ = other.last_;
  suppressed_ = std::exchange(other.suppressed_, 0);
  id_ = other.id_;
  level_ = other.level_;
  text_ = other.text_;
}

LimitedBase::~LimitedBase() {
  {
    LimitedObjects& all = AllLimited();
    const std::scoped_lock lock(all.mutex);
    all.objects.erase(this);
  }
  Tell(std::chrono::minutes(0));
}

bool LimitedBase::Admit() {
  const auto now = std::chrono::steady_clock::now();
  const std::scoped_lock lock(mutex_);
  if (written_ && now - last_ < kPause) {
    ++suppressed_;
    return false;
  }
  return true;
}

void LimitedBase::WriteAdmitted(int id, Level level, std::string text) {
  const std::scoped_lock lock(mutex_);
  id_ = id;
  level_ = level;
  text_ = std::move(text);
  WriteCounted();
}

void LimitedBase::WriteCounted() {
  written_ = true;
  last_ = std::chrono::steady_clock::now();
  const uint64_t suppressed = std::exchange(suppressed_, 0);
  WriteLine(
      id_, level_,
      suppressed == 0 ? text_ : fmt::format("{} ({} more since the last line)", text_, suppressed));
}

void LimitedBase::Tell(std::chrono::steady_clock::duration older_than) {
  const std::scoped_lock lock(mutex_);
  if (suppressed_ > 0 && std::chrono::steady_clock::now() - last_ >= older_than) WriteCounted();
}

void TellSuppressed(bool all_of_them) {
  LimitedObjects& all = AllLimited();
  const std::scoped_lock lock(all.mutex);
  for (LimitedBase* object : all.objects) {
    object->Tell(all_of_them ? std::chrono::steady_clock::duration::zero() : LimitedBase::kPause);
  }
}

void SetDebugLevel(int level) { debug_level.store(level, std::memory_order_relaxed); }

int DebugLevel() { return debug_level.load(std::memory_order_relaxed); }

void WriteLine(int id, Level level, std::string_view text) {
  if (level == Level::kDebug && DebugLevel() < 1) return;
  const int saved_errno = errno;
  const std::string number = id == 0 ? std::string() : fmt::format("({})", id);
  const std::string time = base::LogTime(base::WallNow());
  const std::string escaped = base::EscapeControls(text);

  Sink& sink = TheSink();
  const std::scoped_lock lock(sink.mutex);
  const std::string line =
      fmt::format("{} {}{}: {}: {}\n", time, sink.program, number, Name(level), escaped);
  const bool in_file = AppendToFile(sink, line);
  if (sink.also_stderr || !in_file) WriteLineTo(STDERR_FILENO, line);
  errno = saved_errno;
}

}  // namespace ospatrol::log
