#include "daemon/pid_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"
#include "log/log.h"

namespace ospatrol::daemon {

namespace {

base::Fd Create(const std::filesystem::path& path) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  base::Fd file = base::OpenFile(path, kFlags, 0640);
  if (!file && errno == EEXIST && unlink(path.c_str()) == 0) {
    file = base::OpenFile(path, kFlags, 0640);
  }
  return file;
}

}  // namespace

PidFile::PidFile(const Home& home, std::string_view program)
    : owner_(getpid()), path_(home / paths::kRun / fmt::format("{}-{}.pid", program, owner_)) {
  const base::Fd file = Create(path_);
  if (!file) throw log::Fatal<msg::kPidFile>(path_.native(), base::ErrnoText(errno));
  // The control script, which may not be root, reads it whatever the umask of the caller was.
  if (fchmod(file.get(), 0640) != 0 || !base::WriteAll(file.get(), fmt::format("{}\n", owner_))) {
    const int error = errno;
    unlink(path_.c_str());
    throw log::Fatal<msg::kPidFile>(path_.native(), base::ErrnoText(error));
  }
}

PidFile::~PidFile() {
  if (getpid() == owner_) unlink(path_.c_str());
}

}  // namespace ospatrol::daemon
