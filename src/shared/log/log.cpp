#include "log/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>

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

// One write(2), so that lines of several programs never mix. False when the line did not get there.
bool WriteOnce(int fd, std::string_view line) {
  ssize_t written;
  do {
    written = write(fd, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  return written >= 0;
}

bool AppendToFile(const std::filesystem::path& file, std::string_view line) {
  if (file.empty()) return false;
  const base::Fd fd = OpenLog(file);
  return fd && WriteOnce(fd.get(), line);
}

}  // namespace

void Configure(std::string program, std::filesystem::path file, bool also_stderr) {
  Sink& sink = TheSink();
  const std::scoped_lock lock(sink.mutex);
  sink.program = std::move(program);
  sink.file = std::move(file);
  sink.also_stderr = also_stderr;
}

void SetFile(std::filesystem::path file) {
  Sink& sink = TheSink();
  const std::scoped_lock lock(sink.mutex);
  sink.file = std::move(file);
}

void SetAlsoStderr(bool on) {
  Sink& sink = TheSink();
  const std::scoped_lock lock(sink.mutex);
  sink.also_stderr = on;
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
  const bool in_file = AppendToFile(sink.file, line);
  if (sink.also_stderr || !in_file) WriteOnce(STDERR_FILENO, line);
  errno = saved_errno;
}

}  // namespace ospatrol::log
