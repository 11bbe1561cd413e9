#include "daemon/daemonise.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "log/log.h"

namespace ospatrol::daemon {

namespace {

pid_t Fork() {
  const pid_t child = fork();
  if (child < 0) throw log::Fatal<msg::kForkFailed>(base::ErrnoText(errno));
  return child;
}

// One byte, the status; end of file without it means that the daemon died.
[[noreturn]] void WaitForReport(const base::Fd& pipe, pid_t child) {
  unsigned char status = 1;
  ssize_t got;
  do {
    got = read(pipe.get(), &status, 1);
  } while (got < 0 && errno == EINTR);
  waitpid(child, nullptr, 0);
  _exit(got == 1 ? status : 1);
}

}  // namespace

void SilenceDescriptor(int descriptor) {
  const base::Fd null = base::OpenFile("/dev/null", O_RDWR);
  if (null) dup2(null.get(), descriptor);
}

void OpenMissingStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    base::Fd null(open("/dev/null", O_RDWR));  // takes the lowest number, which is this one
    if (null.get() == descriptor) null.Release();
  }
}

void Parent::Report(int status) {
  if (!pipe_) return;
  dup2(null_.get(), STDOUT_FILENO);
  dup2(null_.get(), STDERR_FILENO);
  null_.reset();
  const char byte = static_cast<char>(status);
  base::WriteAll(pipe_.get(),
                 std::string_view(&byte, 1));  // a parent that was killed needs no report
  pipe_.reset();
}

Parent Daemonise() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw log::Fatal<msg::kForkFailed>(base::ErrnoText(errno));
  }
  base::Fd reader(ends[0]);
  base::Fd writer(ends[1]);
  if (const pid_t child = Fork(); child > 0) {
    writer.reset();
    WaitForReport(reader, child);
  }
  reader.reset();
  if (setsid() < 0) throw log::Fatal<msg::kSetsidFailed>(base::ErrnoText(errno));
  if (Fork() > 0) _exit(0);
  base::Fd null = base::OpenFile("/dev/null", O_RDWR);
  if (!null) throw log::Fatal<msg::kCannotOpenFile>("/dev/null", base::ErrnoText(errno));
  dup2(null.get(), STDIN_FILENO);
  return Parent(std::move(writer), std::move(null));
}

}  // namespace ospatrol::daemon
